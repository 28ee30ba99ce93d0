import { fakeDriver } from '@dal/testing/fake';
import { expect, test } from 'vitest';
import { engineWords } from './engine-words.ts';
import { EntityType } from './entity-type.ts';
import { orderClause, readDirection, readOrder } from './order-clause.ts';

const words = engineWords(fakeDriver().dialect);
const type = new EntityType(
  'users',
  new Map([
    ['age', 'number'],
    ['name', 'text'],
  ]),
  [],
  words,
);

test('orders', () => {
  const order = (by: Parameters<typeof readOrder>[0]): string =>
    orderClause(words, type, readOrder(by)).replaceAll(/["`]/g, '');
  expect(order(undefined)).toBe(' ORDER BY id ASC');
  expect(order('age')).toMatch(/^ ORDER BY age ASC.*, id ASC$/);
  expect(order(['age', 'desc'])).toMatch(/^ ORDER BY age DESC.*, id DESC$/);
  expect(order(['age', 'name'])).toMatch(/^ ORDER BY age ASC.*, name ASC.*, id ASC$/);
  expect(order([['id', 'DESC']])).toBe(' ORDER BY id DESC');
  const wrong: unknown = 'up';
  expect(() => order('nmae')).toThrow('Did you mean "name"?');
  expect(() => order([['age', wrong as 'asc']])).toThrow('"asc" or "desc"');
  expect(() => order(5 as unknown as string)).toThrow('orderBy must be');
});

test('directions are words of a list', () => {
  expect(readDirection(undefined)).toBe('ASC');
  expect(() => readDirection('; DROP TABLE users')).toThrow('"asc" or "desc"');
});
