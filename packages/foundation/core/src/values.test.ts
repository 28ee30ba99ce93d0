import { expect, test } from 'vitest';
import { json } from './json.ts';
import {
  checkValues,
  integerFromText,
  integerReader,
  timestampFromText,
  timestampToText,
} from './values.ts';

test.each([
  ['0', 0],
  ['-9007199254740991', -9_007_199_254_740_991],
  ['9007199254740993', 9_007_199_254_740_993n],
  ['-9223372036854775808', -9_223_372_036_854_775_808n],
])('the integer %s keeps every digit', (text, value) => {
  expect(integerFromText(text)).toBe(value);
});

test('integers: "number" refuses what it would have to round', () => {
  expect(integerReader('number')('12')).toBe(12);
  expect(() => integerReader('number')('9007199254740993')).toThrow(/does not fit/);
});

test.each([
  ['2024-02-29 12:34:56.789999', '2024-02-29T12:34:56.789Z'],
  ['2024-02-29 12:34:56', '2024-02-29T12:34:56.000Z'],
  ['1815-06-18 11:35:00.5', '1815-06-18T11:35:00.500Z'],
  ['0044-03-15 12:00:00 BC', '-000043-03-15T12:00:00.000Z'],
  ['0099-01-01 00:00:00', '0099-01-01T00:00:00.000Z'],
  ['2024-01-01 00:00:00+02', '2023-12-31T22:00:00.000Z'],
  ['2024-01-01 00:00:00-03:30', '2024-01-01T03:30:00.000Z'],
  ['1890-01-01 00:00:00+00:19:32', '1889-12-31T23:40:28.000Z'],
  ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00.000Z'],
])('the timestamp %s is %s, whatever zone the machine is in', (text, iso) => {
  expect((timestampFromText(text) as Date).toISOString()).toBe(iso);
});

test.each(['infinity', '-infinity', '0000-00-00 00:00:00', 'tomorrow'])(
  '%s is no moment and stays a text',
  (text) => {
    expect(timestampFromText(text)).toBe(text);
  },
);

test('a Date is written in UTC with its milliseconds', () => {
  expect(timestampToText(new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 6)))).toBe(
    '2024-01-02 03:04:05.006',
  );
});

test('values that no engine can misread pass as they are', () => {
  const values = [null, true, 1, 2n, 'x', new Date(0), Buffer.from('b')];
  expect(checkValues(values, false)).toBe(values);
  expect(checkValues([json({ a: 1 })], false)).toEqual(['{"a":1}']);
  expect(checkValues([[1, [null, 'x']]], true)).toEqual([[1, [null, 'x']]]);
});

test.each([
  [undefined, 'undefined'],
  [{ id: 1 }, 'json'],
  [() => 1, 'function'],
  [Symbol('s'), 'symbol'],
  [new Date(Number.NaN), 'invalid Date'],
  [[1, 2], 'IN'],
])('%s is refused before anything is sent', (value, word) => {
  expect(() => checkValues(['fine', value], false)).toThrow(new RegExp(`Value 2.*${word}`));
});

test('what is refused alone is refused in an array', () => {
  expect(() => checkValues([[undefined]], true)).toThrow(/Value 1/);
  expect(() => checkValues([[[{ id: 1 }]]], true)).toThrow(/Value 1/);
});
