import type { Lexis } from '@dal/core';
import { describe, expect, test } from 'vitest';
import { summarize } from './query-summary.ts';

const postgres: Lexis = { dollar: true, nestedComments: true, escapeStrings: true };
const mysql: Lexis = {
  hashComments: true,
  dashNeedsSpace: true,
  backslashStrings: true,
  backticks: true,
  doubleQuotedStrings: true,
};

describe('a summary', () => {
  test.each([
    ['SELECT * FROM orders WHERE id = ?', 'SELECT orders'],
    ['select * from Orders', 'select Orders'],
    ['SELECT * FROM songs, artists WHERE a = b', 'SELECT songs artists'],
    ['SELECT * FROM orders o JOIN customers c ON o.id = c.id, x', 'SELECT orders customers x'],
    [
      'INSERT INTO shipping_details (a, b) SELECT a, b FROM orders',
      'INSERT shipping_details SELECT orders',
    ],
    [
      'SELECT d FROM (SELECT * FROM orders o JOIN customers c ON o.c = c.id) AS t, u',
      'SELECT SELECT orders customers u',
    ],
    [
      'SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b) UNION SELECT id FROM c',
      'SELECT a SELECT b SELECT c',
    ],
    ['SELECT EXTRACT(year FROM made) FROM "Order Items"', 'SELECT "Order Items"'],
    ['SELECT a IS DISTINCT FROM b FROM shop."T"', 'SELECT shop."T"'],
    ['SELECT * FROM generate_series(1, 10) g, t', 'SELECT generate_series t'],
    ['SELECT * FROM a FOR UPDATE', 'SELECT a'],
    ['SELECT * FROM type', 'SELECT type'],
    ['UPDATE ONLY stock SET n = (SELECT max(n) FROM old) WHERE id = 1', 'UPDATE stock SELECT old'],
    ['UPDATE a SET x = b.x FROM b WHERE a.id = b.id', 'UPDATE a b'],
    ['DELETE FROM a USING b WHERE a.id = b.id', 'DELETE a b'],
    ['INSERT INTO t VALUES (?) ON CONFLICT (id) DO UPDATE SET n = 1', 'INSERT t'],
    [
      'WITH a AS (SELECT 1 FROM b), c AS (DELETE FROM d RETURNING *) INSERT INTO e SELECT * FROM a',
      'SELECT b DELETE d INSERT e SELECT a',
    ],
    ['MERGE INTO t USING s ON t.i = s.i WHEN MATCHED THEN UPDATE SET x = 1', 'MERGE t s'],
    ['CREATE TABLE IF NOT EXISTS type (id int REFERENCES x)', 'CREATE TABLE type'],
    ['CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)', 'CREATE INDEX i'],
    ['CREATE INDEX ON t (a)', 'CREATE INDEX t'],
    ['CREATE OR REPLACE VIEW v AS SELECT * FROM t', 'CREATE VIEW v SELECT t'],
    ["CREATE USER bob PASSWORD 'x'", 'CREATE USER'],
    ['TRUNCATE t', 'TRUNCATE t'],
    ['DROP TABLE IF EXISTS a', 'DROP TABLE a'],
    ['CALL refresh(?)', 'CALL refresh'],
    ['COPY t (a, b) FROM STDIN', 'COPY t'],
    ['BEGIN', 'BEGIN'],
    ['ROLLBACK TO SAVEPOINT dal_1', 'ROLLBACK'],
    ['EXPLAIN ANALYZE SELECT * FROM t', 'EXPLAIN ANALYZE SELECT t'],
    ['(SELECT 1 FROM a) UNION (SELECT 2 FROM b)', 'SELECT a SELECT b'],
    ['SELECT 1; DELETE FROM t', 'SELECT DELETE t'],
    ["SELECT 'x FROM y' -- FROM z\n/* FROM /* q */ r */ FROM t", 'SELECT t'],
    ['SELECT $a$ FROM x $a$ FROM t', 'SELECT t'],
    ['', ''],
    ['averyveryveryveryveryveryveryverylongsecret', ''],
  ])('of %s', (text, summary) => {
    expect(summarize(text, postgres)).toBe(summary);
  });

  test.each([
    ['SELECT * FROM `a b`, "x FROM y" # FROM c\n', 'SELECT `a b`'],
    ['INSERT IGNORE t VALUES (1) ON DUPLICATE KEY UPDATE n = 2', 'INSERT t'],
    ['REPLACE INTO t SET a = REPLACE(b, 1, 2)', 'REPLACE t'],
    ['DELETE a FROM a JOIN b USING (id)', 'DELETE a b'],
    ['UPDATE a, b SET a.x = b.x', 'UPDATE a b'],
    ["LOAD DATA INFILE 'x' INTO TABLE t", 'LOAD t'],
    ['SELECT a INTO @v FROM t', 'SELECT t'],
    ['SELECT 5--3 FROM t', 'SELECT t'],
    ['LOCK TABLES t WRITE', 'LOCK t'],
  ])('of %s in MySQL', (text, summary) => {
    expect(summarize(text, mysql)).toBe(summary);
  });

  test('never ends within a word, and never gets long', () => {
    const tables = Array.from({ length: 100 }, (_, index) => `table_${index}`);
    const summary = summarize(`SELECT * FROM ${tables.join(', ')}`, postgres);
    expect(summary.length).toBeLessThanOrEqual(255);
    expect(`SELECT ${tables.join(' ')} `.startsWith(`${summary} `)).toBe(true);
    expect(summary.length).toBeGreaterThan(240);
  });

  test('is bounded for texts without end', () => {
    const text = `SELECT ${'('.repeat(1_000_000)}`;
    const began = performance.now();
    expect(summarize(text, postgres)).toBe('SELECT');
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
