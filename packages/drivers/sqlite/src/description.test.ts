import { expect, test } from 'vitest';
import { fitsKeys, makeDescription, textShape } from './description.ts';
import type { CellSettings } from './read-cells.ts';
import { cellSettings } from './read-texts.ts';

const defaults: CellSettings = cellSettings({
  integers: 'safe',
  decimals: 'text',
  timestamps: 'date',
  json: 'parsed',
});
const names = ['at', 'doc', 'day', 'n', 'ok', 'price'];
const types = ['TIMESTAMP', 'JSON', 'DATE', '', 'BOOLEAN', 'DECIMAL(10,2)'];
const given = ['2024-02-29 12:00:00.123456', '{"a":1}', '1850-01-01', 7n, 1n, 12.5];
const wanted = {
  at: new Date('2024-02-29T12:00:00.123Z'),
  doc: { a: 1 },
  day: '1850-01-01',
  n: 7,
  ok: true,
  price: '12.5',
};

test('cells are read as their column was declared, in arrays and in objects', () => {
  const { columns, shape, readObjects } = makeDescription(names, types, defaults);
  expect(columns[3]).toEqual({ name: 'n' });
  expect(columns[5]).toEqual({ name: 'price', type: 'DECIMAL(10,2)' });
  expect(shape.toObjects([[...given]])).toEqual([wanted]);
  expect(shape.toArrays([[...given]])).toEqual([Object.values(wanted)]);
  const row = Object.fromEntries(names.map((name, index) => [name, given[index]]));
  readObjects([row]);
  expect(row).toEqual(wanted);
});

test('what does not fit its declaration stays as it is', () => {
  const { shape } = makeDescription(['at', 'doc', 'ok'], ['TIMESTAMP', 'JSON', 'BOOL'], defaults);
  expect(shape.toArrays([[1_700_000_000n, '{broken', 2n]])).toEqual([
    [1_700_000_000, '{broken', 2],
  ]);
  expect(shape.toArrays([[null, null, null]])).toEqual([[null, null, null]]);
});

test('text is left alone on demand', () => {
  const settings: CellSettings = { integers: 'safe', decimals: 'text' };
  const { shape } = makeDescription(['at', 'doc'], ['TIMESTAMP', 'JSON'], settings);
  expect(shape.toArrays([['2024-01-01 00:00:00.123456', '{}']])).toEqual([
    ['2024-01-01 00:00:00.123456', '{}'],
  ]);
});

test('the parent of a session’s process reads moments and JSON, and nothing twice', () => {
  const shape = textShape(names, types, defaults);
  const row = [given[0], given[1], '1850-01-01', 9007199254740993n, false, '12.50'];
  expect(shape.toArrays([row])).toEqual([
    [wanted.at, wanted.doc, '1850-01-01', 9007199254740993n, false, '12.50'],
  ]);
});

test('a column named __proto__ is a column', () => {
  const { shape, plainObjects } = makeDescription(['__proto__', 'a'], ['', ''], defaults);
  expect(plainObjects).toBe(false);
  const [row] = shape.toObjects([[{ admin: true }, 1n]]) as [object];
  expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  expect(Object.keys(row)).toEqual(['__proto__', 'a']);
});

test('names that are JavaScript are only names', () => {
  const evil = ['"];globalThis.hacked=1;//', 'a\\', '\u2028', 'x`${1}'];
  const { shape, readObjects } = makeDescription(evil, ['', '', '', ''], defaults);
  const [row] = shape.toObjects([[1n, 2n, 3n, 4n]]) as [object];
  expect(Object.entries(row)).toEqual(evil.map((name, index) => [name, index + 1]));
  const other = Object.fromEntries(evil.map((name) => [name, 5n]));
  readObjects([other]);
  expect(Object.values(other)).toEqual([5, 5, 5, 5]);
  expect('hacked' in globalThis).toBe(false);
});

test('keys of a row are compared as JavaScript orders them', () => {
  const { keys } = makeDescription(['b', '2', 'a', '1', 'b'], ['', '', '', '', ''], defaults);
  expect(keys).toEqual(['1', '2', 'b', 'a']);
  expect(fitsKeys({ b: 0, 2: 0, a: 0, 1: 0 }, keys)).toBe(true);
  expect(fitsKeys({ b: 0, 2: 0, a: 0 }, keys)).toBe(false);
  expect(fitsKeys({ b: 0, 2: 0, c: 0, 1: 0 }, keys)).toBe(false);
  expect(fitsKeys({ b: 0, 2: 0, a: 0, 1: 0, z: 0 }, keys)).toBe(false);
});
