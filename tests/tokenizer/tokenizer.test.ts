import { type Database, json, sql } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { corpus } from './placeholders-corpus.ts';

describe.each(inject('engines'))('$name', ({ name, url }) => {
  let db: Database;

  beforeAll(async () => {
    db = await createDatabase(url, { pool: { max: 2 } });
  });

  afterAll(async () => {
    await db.close();
  });

  const entries = corpus.filter(({ engines }) => engines.includes(name));

  test.each(entries)('reads $text as we do', async ({ text, values, expected }) => {
    expect(String(await db.queryValue(text, values))).toBe(expected);
  });

  test('the corpus has entries for it', () => {
    expect(entries.length).toBeGreaterThan(20);
  });

  const numbers = sql.raw('(SELECT 1 AS n UNION SELECT 2 UNION SELECT NULL) t');

  test.each([
    ['IN two', sql`n IN (${[1, 2]})`, 2],
    ['NOT IN one', sql`n NOT IN (${[1]})`, 1],
    ['IN nothing', sql`n IN (${[]})`, 0],
    ['NOT IN nothing', sql`n NOT IN (${[]})`, 3],
    ['NOT (IN nothing)', sql`NOT (n IN (${[]}))`, 3],
    ['IN nothing OR', sql`n IN (${[]}) OR n = ${2}`, 1],
  ])('a list: %s', async (_what, filter, count) => {
    const found = sql`SELECT count(*) FROM ${numbers} WHERE ${filter}`;
    expect(await db.queryValue(found)).toBe(count);
  });

  test.each(['select', 'a"b', 'a`b', '[a]', "it's", '?', '$1', '\\', '-- x', '/*', 'naïve'])(
    'the name %s is quoted',
    async (identifier) => {
      const column = sql.id(identifier);
      const row = await db.queryOne(
        sql`SELECT ${sql.id('t', identifier)} FROM (SELECT 1 AS ${column}) t WHERE 1 = ${1}`,
      );
      expect(row).toEqual({ [identifier]: 1 });
    },
  );

  test.each(["'; DROP TABLE users; --", '\\', "\\'", '?', '??', '$1', '*/', '\n', '😀'])(
    'the value %j comes back as it went',
    async (value) => {
      const text = sql`SELECT n FROM (SELECT 1 AS n) t WHERE 'x' <> ${value}`;
      expect(await db.queryValue(text)).toBe(1);
      const echo = name === 'postgres' ? sql`SELECT ${value}::text` : sql`SELECT ${value}`;
      expect(await db.queryValue(echo)).toBe(value);
    },
  );

  test('tags stay in their comment, whatever they hold and wherever the text ends', async () => {
    const tags = {
      route: '*/ SELECT 2; --',
      '!50000 x': "it's ?",
      'M!': '\n\0',
      '+': '/*',
    };
    for (const text of ['SELECT 1', 'SELECT 1;', 'SELECT 1 -- note', 'SELECT 1 -- note\n']) {
      expect(await db.queryValue(text, [], { tags })).toBe(1);
      expect(await db.queryValue(sql.raw(text), { tags })).toBe(1);
    }
    expect(await db.queryValue('SELECT n FROM (SELECT 1 AS n) t WHERE n = ?', [1], { tags })).toBe(
      1,
    );
  });

  test('json() is written once and read by the engine', async () => {
    const document = json({ a: { 'k?': "it's" }, big: 9_007_199_254_740_993n });
    const text =
      name === 'postgres'
        ? `SELECT ?::json -> 'a' ->> 'k?'`
        : `SELECT JSON_UNQUOTE(JSON_EXTRACT(?, '$.a."k?"'))`;
    const statement = name === 'sqlite' ? `SELECT ? ->> '$.a."k?"'` : text;
    expect(await db.queryValue(statement, [document])).toBe("it's");
  });

  test('rows become one INSERT', async () => {
    await db.connection(async (connection) => {
      await connection.execute(`CREATE TEMPORARY TABLE tokenizer_rows (n INTEGER, t VARCHAR(9))`);
      const rows = sql.values([
        [1, 'a?'],
        [2, sql`'b?'`],
        [3, null],
      ]);
      const { affectedRows } = await connection.execute(
        sql`INSERT INTO tokenizer_rows VALUES ${rows}`,
      );
      expect(affectedRows).toBe(3);
      expect(await connection.query('SELECT * FROM tokenizer_rows ORDER BY n')).toEqual([
        { n: 1, t: 'a?' },
        { n: 2, t: 'b?' },
        { n: 3, t: null },
      ]);
      await connection.execute('DROP TABLE tokenizer_rows');
    });
  });
});
