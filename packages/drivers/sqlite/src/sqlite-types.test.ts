import { expect, test } from 'vitest';
import { encodeValues, shapeOf } from './sqlite-types.ts';

const defaults = { timestamps: 'date', json: 'parsed' } as const;

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

test('a column is read as it was declared', () => {
  const shape = shapeOf(['at', 'TIMESTAMP', 'doc', 'JSON', 'day', 'DATE', 'n', ''], defaults);
  expect(shape.columns).toEqual([
    { name: 'at', type: 'TIMESTAMP' },
    { name: 'doc', type: 'JSON' },
    { name: 'day', type: 'DATE' },
    { name: 'n' },
  ]);
  expect(shape.toRow(['2024-02-29 12:00:00.123456', '{"a":1}', '1850-01-01', 7])).toEqual({
    at: new Date('2024-02-29T12:00:00.123Z'),
    doc: { a: 1 },
    day: '1850-01-01',
    n: 7,
  });
});

test('what does not fit its declaration stays as it is', () => {
  const shape = shapeOf(['at', 'TIMESTAMP', 'doc', 'JSON'], defaults);
  expect(shape.toArray([1_700_000_000, '{broken'])).toEqual([1_700_000_000, '{broken']);
  expect(shape.toArray([null, null])).toEqual([null, null]);
});

test('text is left alone on demand', () => {
  const shape = shapeOf(['at', 'TIMESTAMP', 'doc', 'JSON'], { timestamps: 'text', json: 'text' });
  expect(shape.toArray(['2024-01-01 00:00:00.123456', '{}'])).toEqual([
    '2024-01-01 00:00:00.123456',
    '{}',
  ]);
});

test('a column named __proto__ is a column', () => {
  const row = shapeOf(['__proto__', '', 'a', ''], defaults).toRow([{ admin: true }, 1]) as object;
  expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  expect(Object.keys(row)).toEqual(['__proto__', 'a']);
});
