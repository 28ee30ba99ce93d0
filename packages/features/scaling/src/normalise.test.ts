import type { Lexis } from '@dal/core';
import { describe, expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { normalise } from './normalise.ts';

const postgres: Lexis = { dollar: true, escapeStrings: true, nestedComments: true };
const mysql: Lexis = {
  backslashStrings: true,
  doubleQuotedStrings: true,
  backticks: true,
  hashComments: true,
  dashNeedsSpace: true,
};
const sqlite: Lexis = { backticks: true, brackets: true };

test.each([
  ['SELECT 1', 'SELECT ?'],
  ['SELECT a\n  FROM t\t WHERE b = 7 ;', 'SELECT a FROM t WHERE b = ?'],
  ['SELECT * FROM t1 WHERE c2 = 3', 'SELECT * FROM t1 WHERE c2 = ?'],
  ['SELECT 1.5, 1e-5, 0x1F, 12345678901234567890', 'SELECT ?, ?, ?, ?'],
  [
    'SELECT -1, 2 - 1, x-1 WHERE a = -2 AND b IN (-1, +2)',
    'SELECT -?, ? - ?, x-? WHERE a = ? AND b IN (?+)',
  ],
  ["SELECT 'it''s'", 'SELECT ?'],
  ['SELECT "a 1" FROM t', 'SELECT "a 1" FROM t'],
  ['SELECT 1 -- the end', 'SELECT ?'],
  ['SELECT /* 5 */ a', 'SELECT a'],
  ['/* first */ SELECT 1', 'SELECT ?'],
  ['SELECT a WHERE b IN (?, ?, ?)', 'SELECT a WHERE b IN (?+)'],
  ['SELECT a WHERE b IN (?)', 'SELECT a WHERE b IN (?+)'],
  ["SELECT a WHERE b IN ( 1,2 , 'x' )", 'SELECT a WHERE b IN (?+)'],
  ['INSERT INTO t VALUES (?, ?), (?, ?),(1,2)', 'INSERT INTO t VALUES (?+)'],
  [
    'INSERT INTO t VALUES (?, DEFAULT), (?, DEFAULT)',
    'INSERT INTO t VALUES (?, DEFAULT), (?, DEFAULT)',
  ],
  ['SELECT f(?), g()', 'SELECT f(?+), g()'],
  ['SELECT (SELECT 1)', 'SELECT (SELECT ?)'],
  ["SELECT 'never closed", 'SELECT ?'],
])('%s', (statement, expected) => {
  for (const lexis of [postgres, sqlite]) expect(normalise(statement, lexis)).toBe(expected);
});

describe('what only some engines read so', () => {
  test.each<[Lexis, string, string]>([
    [postgres, "SELECT $1, $tag$ it's $tag$, $$1$$", 'SELECT ?, ?, ?'],
    [postgres, "SELECT E'a\\'b', x::int", 'SELECT ?, x::int'],
    [postgres, 'SELECT a /* 1 /* 2 */ 3 */ FROM t', 'SELECT a FROM t'],
    [postgres, 'SELECT ARRAY[1, 2, 3]', 'SELECT ARRAY[?+]'],
    [mysql, 'SELECT "secret", `a 1` # 5', 'SELECT ?, `a 1`'],
    [mysql, "SELECT 'a\\'b' FROM t", 'SELECT ? FROM t'],
    [mysql, 'SELECT 5--1', 'SELECT ?-?'],
    [
      sqlite,
      'SELECT [a 1] FROM t WHERE b = ?2 AND c = :3',
      'SELECT [a 1] FROM t WHERE b = ? AND c = ?',
    ],
  ])('%o %s', (lexis, statement, expected) => {
    expect(normalise(statement, lexis)).toBe(expected);
  });
});

test('a list of any length is the same digest', () => {
  const list = (length: number): string =>
    `SELECT a FROM t WHERE b IN (${Array.from({ length }, (_, place) => place).join(', ')}) AND c = 1`;
  const { id } = digestOf(list(1), { lexis: postgres });
  expect(digestOf(list(2_000), { lexis: postgres })).toEqual({
    id,
    text: 'SELECT a FROM t WHERE b IN (?+) AND c = ?',
  });
  expect(id).toMatch(/^[0-9a-f]{16}$/);
});

test('no text is too long', () => {
  const began = performance.now();
  expect(normalise(`SELECT ${'a, '.repeat(1_000_000)}`, postgres).length).toBeLessThan(4_200);
  expect(normalise('('.repeat(500_000), postgres).length).toBeLessThan(4_200);
  expect(normalise(`SELECT '${'x'.repeat(5_000_000)}'`, postgres)).toBe('SELECT ?');
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('what is normal already stays', () => {
  const once = normalise("SELECT a FROM t WHERE b IN (1, 2) AND c = 'x'", postgres);
  expect(normalise(once.replace('?+', '?'), postgres)).toBe(once);
});

test.each([
  "'s3cret",
  "E's3\\'cret",
  "E's3cret\\'",
  '$$s3cret',
  '$a$s3cret',
  "'s3''cret''",
  "x's3cret",
  '1 /* s3cret',
])('a text that was cut within a value keeps it hidden: %s', (cut) => {
  expect(normalise(`SELECT ${cut}`, postgres)).not.toContain('s3');
});
