import { expect, test } from 'vitest';
import { bindValues, encodeValues } from './sqlite-types.ts';

test('values become what SQLite knows, in a list of their own', () => {
  const bytes = new Uint8Array([1, 2]);
  const values = [null, true, false, 1.5, -0, 2n ** 63n - 1n, 'x', new Date(0), bytes];
  const encoded = encodeValues(values);
  expect(encoded).not.toBe(values);
  const time = '1970-01-01 00:00:00.000';
  expect(encoded).toEqual([null, 1, 0, 1.5, -0, 2n ** 63n - 1n, 'x', time, bytes]);
});

test.each([
  [Number.NaN, /Value 2 .*NaN/],
  [2n ** 63n, /Value 2 .*64 bits/],
  [-(2n ** 63n) - 1n, /Value 2 .*64 bits/],
  [{}, /Value 2 .*no type/],
  [undefined, /Value 2 .*no type/],
])('%s is refused before anything is sent', (value, words) => {
  expect(() => encodeValues([1, value])).toThrow(words);
});

test('whole numbers go in as bigints, so that SQLite takes them for what they are', () => {
  expect(bindValues([5, -7, 1.5, -0, 2 ** 53, Infinity, true, 'x'])).toEqual([
    5n,
    -7n,
    1.5,
    -0,
    2 ** 53,
    Infinity,
    1n,
    'x',
  ]);
});
