import type { Database } from '@dal/core';
import { drizzle } from '@dal/drizzle/mysql';
import { createDatabase } from '@dal/factory';
import { drizzle as overMysql2 } from 'drizzle-orm/mysql2';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { schema, steps, tables } from './mysql-program.ts';
import { scenario } from './scenario.ts';

const engines = inject('engines').filter(({ name }) => name === 'mysql' || name === 'mariadb');

describe.each(engines)('$name', ({ name, url }) => {
  let db: Database;
  let own: mysql.Connection;
  const mode = name === 'mariadb' ? 'planetscale' : 'default';

  beforeAll(async () => {
    db = await createDatabase(url, { pool: { max: 3 } });
    // Not a pool: Drizzle gives its connections back in a way that mysql2 warns of.
    own = await mysql.createConnection(url.replace('mariadb:', 'mysql:'));
  });
  afterAll(() => Promise.all([db.close(), own.end()]));

  const setUp = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- each needs the one before it
    for (const text of tables) await db.execute(text);
  };

  test('a program sees what it sees with mysql2', async () => {
    await setUp();
    const expected = await scenario(overMysql2(own, { schema, mode }), steps);
    await setUp();
    const seen = await scenario(drizzle(db, { schema, mode }), steps);
    expect(seen).toEqual(expected);
    await expect
      .poll(() => db.pool.stats(), { timeout: 10_000 })
      .toMatchObject({ lent: 0, leaked: 0 });
  });
});
