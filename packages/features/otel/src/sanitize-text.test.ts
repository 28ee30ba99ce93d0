import type { Lexis } from '@dal/core';
import { expect, test } from 'vitest';
import { sanitize } from './sanitize-text.ts';

const postgres: Lexis = { dollar: true, nestedComments: true, escapeStrings: true };
const mysql: Lexis = { hashComments: true, backslashStrings: true, doubleQuotedStrings: true };

test.each([
  [
    "SELECT 'it''s' FROM t1 WHERE a = 42 AND b = -1.5e-3",
    'SELECT ? FROM t1 WHERE a = ? AND b = -?',
  ],
  [
    'SELECT ? FROM t WHERE a = $1 AND b = $12 AND c IN (?, ?)',
    'SELECT ? FROM t WHERE a = $1 AND b = $12 AND c IN (?, ?)',
  ],
  ["SELECT E'a\\'b', $$secret$$, $x$secret$x$, \"Column 1\"", 'SELECT ?, ?, ?, "Column 1"'],
  ['SELECT 1 -- secret\n, 2 /* secret */', 'SELECT ?  \n, ?'],
  ['SELECT 0x1F, 1_000, .5, 1.', 'SELECT ?, ?, .?, ?'],
  ['SELECT NULL, TRUE', 'SELECT NULL, TRUE'],
  ["SELECT 'never closed secret", 'SELECT ?'],
])('%s', (text, safe) => {
  expect(sanitize(text, postgres)).toBe(safe);
});

test('strings in double quotes are values where they are strings', () => {
  expect(sanitize("SELECT \"secret\", 'a\\'b' # secret", mysql)).toBe('SELECT ?, ?');
});

test('no digit of a value is left, whatever stands around it', () => {
  for (const value of ['123456', "'123456'", '1.23456', '123456e5', '0x123456', "x'123456'"]) {
    for (const around of [' = # ', '(#)', ',#,', '=#;', '+#-', ' #\n']) {
      const text = `SELECT a${around.replace('#', value)}`;
      expect(sanitize(text, postgres), text).not.toMatch(/\d/);
    }
  }
});

test('a long text is cut', () => {
  expect(sanitize(`SELECT ${'a, '.repeat(10_000)}`, postgres).length).toBeLessThan(4_200);
});
