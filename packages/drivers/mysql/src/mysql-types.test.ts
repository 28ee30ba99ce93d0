import { expect, test } from 'vitest';
import type { Field } from './protocol.ts';
import { valueReader } from './mysql-types.ts';

const field = (columnType: number, more: Partial<Field> = {}): Field => ({
  name: 'c',
  columnType,
  columnLength: 20,
  decimals: 0,
  ...more,
});

const read = (from: Field, value: unknown, options = {}): unknown =>
  (valueReader(from, options) ?? ((same: unknown) => same))(value);

test('TINYINT(1) is a boolean for 0 and 1, and stays a number otherwise', () => {
  const flag = field(1, { columnLength: 1 });
  expect([0, 1, 2, -1].map((value) => read(flag, value))).toEqual([false, true, 2, -1]);
  expect(read(field(1, { columnLength: 4 }), 1)).toBe(1);
});

test('big integers are exact in every mode', () => {
  const big = field(8);
  expect(read(big, 5)).toBe(5);
  expect(read(big, '9007199254740993')).toBe(9_007_199_254_740_993n);
  expect(read(big, 5, { integers: 'bigint' })).toBe(5n);
  expect(read(big, '18446744073709551615', { integers: 'bigint' })).toBe(2n ** 64n - 1n);
  expect(read(big, 5, { integers: 'text' })).toBe('5');
  expect(read(big, 5, { integers: 'number' })).toBe(5);
  expect(() => read(big, '9007199254740993', { integers: 'number' })).toThrow(/does not fit/);
});

test('decimals are texts unless numbers are asked for', () => {
  expect(read(field(246), '0.10')).toBe('0.10');
  expect(read(field(246), '0.10', { decimals: 'number' })).toBe(0.1);
});

test('timestamps are cut to milliseconds, or texts with every digit', () => {
  const stamp = field(12, { decimals: 6 });
  expect(read(stamp, '2024-02-29 23:59:59.999999')).toEqual(new Date('2024-02-29T23:59:59.999Z'));
  expect(read(stamp, '0000-00-00 00:00:00')).toBe('0000-00-00 00:00:00');
  expect(read(stamp, '2024-02-29 23:59:59.999999', { timestamps: 'text' })).toBe(
    '2024-02-29 23:59:59.999999',
  );
  // The binary protocol leaves zeros out, the text protocol does not.
  expect(read(stamp, '2024-02-29 23:59:59', { timestamps: 'text' })).toBe(
    '2024-02-29 23:59:59.000000',
  );
  expect(read(field(11, { decimals: 3 }), '01:02:03.5')).toBe('01:02:03.500');
});

test.each([
  ['2024-02-29 12:34:56', '2024-02-29T12:34:56.000Z'],
  ['2024-02-29 12:34:56.7', '2024-02-29T12:34:56.700Z'],
  ['2024-02-29 12:34:56.78', '2024-02-29T12:34:56.780Z'],
  ['1960-01-01 00:00:00.999999', '1960-01-01T00:00:00.999Z'],
  ['1000-01-01 00:00:00', '1000-01-01T00:00:00.000Z'],
  ['0050-01-01 00:00:00.5', '0050-01-01T00:00:00.500Z'],
  ['9999-12-31 23:59:59.999999', '9999-12-31T23:59:59.999Z'],
])('the timestamp "%s" is %s', (text, iso) => {
  expect((read(field(7, { decimals: 6 }), text) as Date).toISOString()).toBe(iso);
});

test('JSON is parsed, also where it is text underneath', () => {
  expect(read(field(245), '{"a":1}')).toEqual({ a: 1 });
  expect(read(field(252, { extendedFormat: 'json' }), '[1]')).toEqual([1]);
  expect(read(field(245), '{"a":1}', { json: 'text' })).toBe('{"a":1}');
  expect(read(field(252), '[1]')).toBe('[1]');
});

test('a FLOAT is the shortest number that is the same float', () => {
  expect(read(field(4), Math.fround(0.1))).toBe(0.1);
  expect(read(field(4), 16_777_216)).toBe(16_777_216);
  expect(read(field(4), Math.fround(1.17549435e-38))).toBeCloseTo(1.17549435e-38, 44);
});
