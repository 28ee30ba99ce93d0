import { json } from '@dal/core';
import { expect, test } from 'vitest';
import { RowValues } from './row-values.ts';

const dialect = { arrays: false } as never;

test('columns come from the option, else from the first row', () => {
  expect(new RowValues({ a: 1, b: 2 }, undefined, dialect).columns).toEqual(['a', 'b']);
  expect(new RowValues({ a: 1, b: 2 }, ['b'], dialect).columns).toEqual(['b']);
});

test('values stand in the order of the columns; what is missing is null', () => {
  const values = new RowValues({ a: 1, b: 2, c: 3 }, undefined, dialect);
  expect(values.of({ c: json([1]), a: undefined }, 0)).toEqual([null, null, '[1]']);
  expect(values.of([1, 2, 3], 0)).toEqual([1, 2, 3]);
});

test('what every object inherits is not a value', () => {
  const values = new RowValues({ id: 1, constructor: 'x' }, undefined, dialect);
  expect(values.of({ id: 2 }, 1)).toEqual([2, null]);
  expect(values.of({ id: 2, constructor: 'y' }, 1)).toEqual([2, 'y']);
  const row = Object.assign(Object.create(null) as object, { id: 3 });
  expect(values.of(row, 2)).toEqual([3, null]);
});

test('a wrong row is named by its number, without its values', () => {
  const values = new RowValues({ a: 1, b: 2 }, undefined, dialect);
  const wrong: readonly [unknown, RegExp][] = [
    [{ a: 1, secret: 'hunter2' }, /^Row 5 has the key "secret"/],
    [['hunter2'], /^Row 5 has 1 values for 2 columns/],
    ['hunter2', /^Row 5 is a string/],
    [null, /^Row 5 is null/],
    [new Map([['a', 'hunter2']]), /^Row 5 is an object without keys/],
    [{ a: 1, b: { x: 'hunter2' } }, /^In row 5, column "b" is an object/],
    [{ a: () => 'hunter2' }, /^In row 5, column "a" is a function/],
    [[1, undefined], /^In row 5, column "b" is undefined/],
    [{ a: ['hunter2'] }, /^In row 5, column "a" is a list/],
  ];
  for (const [row, message] of wrong) {
    expect(() => values.of(row, 4)).toThrow(message);
    expect(() => values.of(row, 4)).not.toThrow(/hunter2/);
  }
});

test('wrong columns are refused before anything is asked', () => {
  const wrong: readonly [unknown, readonly string[] | undefined, RegExp][] = [
    [[1, 2], undefined, /need the names of their columns/],
    [{}, undefined, /Row 1 is an object without keys/],
    [5, undefined, /Row 1 is a number/],
    [[1], [], /at least one name/],
    [[1, 2], ['a', 'a'], /"a" is named twice/],
    [[1], ['a\0b'], /NUL/],
    [[1], 'a' as never, /columns must be a list/],
  ];
  for (const [first, columns, message] of wrong) {
    expect(() => new RowValues(first, columns, dialect)).toThrow(message);
  }
});
