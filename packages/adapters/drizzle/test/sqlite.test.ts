import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '@dal/core';
import { drizzle } from '@dal/drizzle/sqlite';
import { createDatabase } from '@dal/factory';
import Sqlite from 'better-sqlite3';
import { drizzle as overBetterSqlite3 } from 'drizzle-orm/better-sqlite3';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { scenario } from './scenario.ts';
import { schema, steps, tables, transactions } from './sqlite-program.ts';

const undressed = (step: unknown): unknown =>
  step instanceof Object && 'cause' in step && step.cause !== 'none' ? step.cause : step;

describe.each(inject('engines').filter(({ name }) => name === 'sqlite'))('$name', () => {
  let folder: string;
  let db: Database;
  let library: Sqlite.Database;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dal-drizzle-'));
    const file = join(folder, 'test.db');
    db = await createDatabase(`sqlite:${file}`, { pool: { max: 3 } });
    library = new Sqlite(file);
  });
  afterAll(async () => {
    library.close();
    await db.close();
    await rm(folder, { recursive: true, force: true });
  });

  const setUp = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- each needs the one before it
    for (const text of tables) await db.execute(text);
  };

  test('a program sees what it sees with better-sqlite3', async () => {
    await setUp();
    const expected = await scenario(overBetterSqlite3(library, { schema }) as never, steps);
    await setUp();
    const seen = await scenario(drizzle(db, { schema }), steps);
    // Drizzle dresses errors of drivers that are awaited, as with its others, but not those of this one.
    expect(seen.map(undressed)).toEqual(expected);
    await expect
      .poll(() => db.pool.stats(), { timeout: 10_000 })
      .toMatchObject({ lent: 0, leaked: 0 });
  });

  test('transactions and savepoints keep what they promise', async () => {
    await setUp();
    const drizzled = drizzle(db, { schema });
    await scenario(drizzled, steps.slice(0, 3));
    expect(await scenario(drizzled, transactions)).toEqual([
      { name: 'Kept' },
      expect.objectContaining({ message: 'Rollback' }),
      expect.objectContaining({ code: 'SQLITE_CONSTRAINT_UNIQUE' }),
      [{ title: 'First' }, { title: 'Second' }, { title: 'Outer' }, { title: 'Deep' }],
    ]);
    await expect
      .poll(() => db.pool.stats(), { timeout: 10_000 })
      .toMatchObject({ lent: 0, leaked: 0 });
  });
});
