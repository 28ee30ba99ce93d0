import { sql } from '@dal/core';
import { fakeDriver } from '@dal/testing/fake';
import { describe, expect, test } from 'vitest';
import { engineWords } from './engine-words.ts';
import { EntityType } from './entity-type.ts';
import { aroundFragment, conditionsClause, readOperator, readWhere } from './where-clause.ts';

const words = engineWords(fakeDriver().dialect);
const type = new EntityType(
  'users',
  new Map([
    ['age', 'number'],
    ['likes', 'json'],
    ['name', 'text'],
  ]),
  [],
  words,
);

function clause(where: Parameters<typeof readWhere>[0]): unknown {
  const conditions = readWhere(where) as Parameters<typeof conditionsClause>[2];
  const { text, values } = conditionsClause(words, type, conditions);
  return [text.replaceAll(/["`]/g, ''), values];
}

describe('conditions', () => {
  test.each([
    [{ age: 1 }, 'age = ?', [1]],
    [{ age: null, name: 'x' }, 'age IS NULL AND name = ?', ['x']],
    [{ age: [1, 2] }, 'age IN (?, ?)', [1, 2]],
    [{ age: [] }, '1 = 0', []],
    [{ age: [null, 1] }, '(age IN (?) OR age IS NULL)', [1]],
    [{ age: { 'NOT IN': [null, 1] } }, '(age NOT IN (?) AND age IS NOT NULL)', [1]],
    [{ age: { 'not in': [] } }, '1 = 1', []],
    [{ age: { '!=': 1, '<': 5 } }, '(age <> ? OR age IS NULL) AND age < ?', [1, 5]],
    [{ name: { like: 'a%' } }, 'name LIKE ? ESCAPE ?', ['a%', '\\']],
    [{ likes: { '!=': null } }, 'likes IS NOT NULL', []],
    [{ name: { like: 'a\\\\' } }, 'name LIKE ? ESCAPE ?', ['a\\\\', '\\']],
    [{ version: { '>': 2n } }, 'version > ?', [2]],
  ])('%o', (where, text, values) => {
    expect(clause(where)).toEqual([text, values]);
  });

  test.each([
    [{ 'name" = 1 OR "1': 1 }, 'no field'],
    [{ nmae: 1 }, 'Did you mean "name"?'],
    [{ age: { 'or 1=1 --': 1 } }, 'no operator'],
    [{ age: {} }, 'without an operator'],
    [{ age: { in: 1 } }, 'needs a list'],
    [{ age: { '>': null } }, "can't be compared with null"],
    [{ age: undefined }, 'undefined'],
    [{ age: '1' }, 'has numbers'],
    [{ likes: [1] }, 'use SQL'],
    [{ age: { like: '1%' } }, 'not of text'],
    [{ name: { like: 'a\\\\\\' } }, 'nothing behind it'],
    ['age = 1', 'where must be'],
    [[1], 'where must be'],
  ])('%o is refused', (where, message) => {
    expect(() => clause(where as Record<string, unknown>)).toThrow(message);
  });
});

test('a fragment keeps its values apart, before those of the page', () => {
  const behind = { text: ') LIMIT ?', values: [5] };
  expect(aroundFragment('SELECT (', ['a = ?', [1]], behind)).toEqual({
    text: 'SELECT (a = ?) LIMIT ?',
    values: [1, 5],
  });
  expect(aroundFragment('SELECT (', sql`a = ${1}`, behind)).toHaveProperty('parts');
});

test('operators are words of a list', () => {
  expect(readOperator(' Not In ')).toBe('not in');
  expect(() => readOperator('lke')).toThrow('Did you mean "like"?');
  expect(() => readOperator(1)).toThrow('of type number');
});
