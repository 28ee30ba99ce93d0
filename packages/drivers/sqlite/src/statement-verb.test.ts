import { expect, test } from 'vitest';
import { mayUpdateInstead, statementVerb } from './statement-verb.ts';

const verbs: readonly (readonly [text: string, verb: string])[] = [
  ['select 1', 'SELECT'],
  ['  \n-- delete\n/* update */ INSERT INTO t VALUES (1)', 'INSERT'],
  ['WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a', 'INSERT'],
  ['WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT x FROM c', 'SELECT'],
  ['with "insert" as (select \')\') delete from t', 'DELETE'],
  ['WITH a AS (SELECT 1 /* ) DELETE */) UPDATE t SET x = 1', 'UPDATE'],
  ['REPLACE INTO t VALUES (1)', 'REPLACE'],
  ['PRAGMA foreign_keys', 'PRAGMA'],
  ['begin immediate', 'BEGIN'],
  ['VALUES (1)', 'VALUES'],
  ['EXPLAIN QUERY PLAN SELECT 1', 'EXPLAIN'],
  ['', ''],
  ['-- nothing', ''],
  ["'unclosed", 'UNCLOSED'],
];

test.each(verbs)('%j is a %s', (text, verb) => {
  expect(statementVerb(text)).toBe(verb);
});

test('an upsert that may update is told from one that does nothing', () => {
  expect(mayUpdateInstead('INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1')).toBe(
    true,
  );
  expect(mayUpdateInstead('INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING')).toBe(false);
});
