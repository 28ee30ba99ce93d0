import type { Database } from '@dal/core';
import { drizzle } from '@dal/drizzle/postgres';
import { createDatabase } from '@dal/factory';
import { drizzle as overPg } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { schema, steps, tables } from './postgres-program.ts';
import { scenario } from './scenario.ts';

describe.each(inject('engines').filter(({ name }) => name === 'postgres'))('$name', ({ url }) => {
  let db: Database;
  let pool: Pool;

  beforeAll(async () => {
    db = await createDatabase(url, { pool: { max: 3 } });
    pool = new Pool({ connectionString: url, max: 3 });
  });
  afterAll(() => Promise.all([db.close(), pool.end()]));

  const setUp = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- each needs the one before it
    for (const text of tables) await db.execute(text);
  };

  test('a program sees what it sees with node-postgres', async () => {
    await setUp();
    const expected = await scenario(overPg(pool, { schema }), steps);
    await setUp();
    const seen = await scenario(drizzle(db, { schema }), steps);
    expect(seen).toEqual(expected);
    await expect
      .poll(() => db.pool.stats(), { timeout: 10_000 })
      .toMatchObject({ lent: 0, leaked: 0 });
  });
});
