import { rm } from 'node:fs/promises';
import { isDalError } from '@dal/core';
import {
  checkMigrations,
  enableMigrate,
  migrate,
  migrationStatus,
  resolveMigration,
  rollback,
} from '@dal/migrate';
import { createDatabase } from '@dal/factory';
import { describe, expect, inject, test } from 'vitest';
import { setStage } from './migration-stage.ts';

describe.each(inject('engines'))('$name', (engine) => {
  const { name } = engine;
  const commits = name === 'mysql' || name === 'mariadb';

  test('db.migrate() runs what is new, in order, and only once', async () => {
    await using stage = await setStage(engine);
    const { db, at, prefix } = stage;
    await stage.write({
      '0001_users.sql':
        "CREATE TABLE {p}users (id INT, mail VARCHAR(50));\nINSERT INTO {p}users VALUES (1, 'a;b?');",
      '0002_orders.up.sql': 'CREATE TABLE {p}orders (id INT);',
      '0002_orders.down.sql': 'DROP TABLE {p}orders;',
      '0010_data.sql':
        '-- migrate:up\nINSERT INTO {p}orders SELECT id FROM {p}users;\n-- migrate:down\nDELETE FROM {p}orders;',
    });
    enableMigrate();
    const first = await db.migrate(at);
    expect(first.migrations.map((run) => run.name)).toEqual([
      '0001_users',
      '0002_orders',
      '0010_data',
    ]);
    // Data alone can be undone everywhere.
    expect(first.migrations.map((run) => run.transaction)).toEqual([!commits, !commits, true]);
    expect(await db.queryValue(`SELECT mail FROM ${prefix}users`)).toBe('a;b?');
    expect(await db.queryValue(`SELECT COUNT(*) FROM ${prefix}orders`)).toBe(1);
    expect((await db.migrate(at)).migrations).toEqual([]);
    expect(await db.queryValue(`SELECT COUNT(*) FROM ${prefix}orders`)).toBe(1);
    const statuses = await migrationStatus(db, at);
    expect(statuses.map(({ state }) => state)).toEqual(['applied', 'applied', 'applied']);
    expect(Math.abs(Date.now() - Number(statuses[0]?.appliedAt))).toBeLessThan(60_000);
  });

  test('a dry run says what would be sent and changes nothing', async () => {
    await using stage = await setStage(engine);
    const { db, at } = stage;
    await stage.write({ '1_a.sql': 'CREATE TABLE {p}a (id INT); INSERT INTO {p}a VALUES (1)' });
    const report = await migrate(db, { ...at, dryRun: true });
    expect(report).toMatchObject({ dryRun: true, migrations: [{ name: '1_a', direction: 'up' }] });
    expect(report.migrations[0]?.statements).toHaveLength(2);
    expect(await stage.tables()).toEqual([]);
    await migrate(db, at);
    await stage.write({ '2_b.sql': 'CREATE TABLE {p}b (id INT)' });
    await migrate(db, { ...at, dryRun: true });
    expect(await stage.tables()).toEqual(['a', 'history']);
    expect((await checkMigrations(db, at)).pending).toEqual(['2_b']);
  });

  test('to, down, steps: there and back again', async () => {
    await using stage = await setStage(engine);
    const { db, at } = stage;
    const pair = (table: string): string =>
      `-- migrate:up\nCREATE TABLE {p}${table} (id INT);\n-- migrate:down\nDROP TABLE {p}${table};\n`;
    await stage.write({ '1_a.sql': pair('a'), '2_b.sql': pair('b'), '3_c.sql': pair('c') });
    await migrate(db, { ...at, to: '2' });
    expect(await stage.tables()).toEqual(['a', 'b', 'history']);
    await migrate(db, at);
    const back = await rollback(db, at);
    expect(back.migrations).toMatchObject([{ name: '3_c', direction: 'down' }]);
    expect(await stage.tables()).toEqual(['a', 'b', 'history']);
    await rollback(db, { ...at, to: '1_a' });
    expect(await stage.tables()).toEqual(['a', 'history']);
    await migrate(db, at);
    expect((await rollback(db, { ...at, dryRun: true, steps: 2 })).migrations).toHaveLength(2);
    await rollback(db, { ...at, to: '0' });
    expect(await stage.tables()).toEqual(['history']);
    await expect(migrate(db, { ...at, to: '7' })).rejects.toThrow(/no migration "7"/);
  });

  test('where there is no way back, nothing of the way is gone', async () => {
    await using stage = await setStage(engine);
    const { db, at } = stage;
    await stage.write({
      '1_a.sql': 'CREATE TABLE {p}a (id INT)',
      '2_b.sql': '-- migrate:up\nCREATE TABLE {p}b (id INT);\n-- migrate:down\nDROP TABLE {p}b',
    });
    await migrate(db, at);
    await expect(rollback(db, { ...at, steps: 2 })).rejects.toMatchObject({
      code: 'DAL_MIGRATION_NO_DOWN',
      migration: '1_a',
    });
    expect(await stage.tables()).toEqual(['a', 'b', 'history']);
  });

  test('changed, missing, and late files are errors that say what to do', async () => {
    await using stage = await setStage(engine);
    const { db, at } = stage;
    await stage.write({
      '2_b.sql': 'CREATE TABLE {p}b (id INT)',
      '4_d.sql': 'CREATE TABLE {p}d (id INT)',
    });
    await migrate(db, at);

    await stage.write({ '2_b.sql': 'CREATE TABLE {p}b (id INT, more INT)' });
    await expect(migrate(db, at)).rejects.toMatchObject({
      code: 'DAL_MIGRATION_CHANGED',
      migration: '2_b',
    });
    await expect(rollback(db, at)).rejects.toMatchObject({ code: 'DAL_MIGRATION_CHANGED' });
    await expect(migrate(db, { ...at, dryRun: true })).rejects.toMatchObject({
      code: 'DAL_MIGRATION_CHANGED',
    });
    await resolveMigration(db, '2', 'applied', at);
    expect((await migrate(db, at)).migrations).toEqual([]);

    await stage.write({ '3_c.sql': 'CREATE TABLE {p}c (id INT)' });
    await expect(migrate(db, at)).rejects.toMatchObject({
      code: 'DAL_MIGRATION_ORDER',
      migration: '3_c',
    });
    expect(await stage.tables()).not.toContain('c');
    expect((await migrate(db, { ...at, outOfOrder: true })).migrations).toHaveLength(1);

    await rm(`${stage.dir}/4_d.sql`);
    await expect(migrate(db, at)).rejects.toMatchObject({
      code: 'DAL_MIGRATION_MISSING',
      migration: '4_d',
    });
    expect((await migrate(db, { ...at, allowNewer: true })).migrations).toEqual([]);
    await rm(`${stage.dir}/2_b.sql`);
    const { problems } = await checkMigrations(db, { ...at, allowNewer: true });
    expect(problems.map(({ migration }) => migration)).toEqual(['2_b']);
    await resolveMigration(db, '2_b', 'pending', at);
    await resolveMigration(db, '4_d', 'pending', at);
    expect((await migrationStatus(db, at)).map((found) => found.name)).toEqual(['3_c']);
  });

  test('TypeScript, up and down, in the transaction of the history', async () => {
    await using stage = await setStage(engine);
    const { db, at, prefix } = stage;
    await stage.write({
      '1_a.sql': 'CREATE TABLE {p}a (id INT)',
      '2_fill.ts': `import type { MigrationContext } from '@dal/migrate';
export const transaction = true;
export async function up({ db, signal }: MigrationContext): Promise<void> {
  await db.execute('INSERT INTO {p}a VALUES (?)', [1], { signal });
  const fails: boolean = (await db.queryValue<number>('SELECT COUNT(*) FROM {p}a')) as number > 1;
  if (fails) throw new Error('there is one already');
}
export async function down({ db }: MigrationContext): Promise<void> {
  await db.execute('DELETE FROM {p}a');
}`,
      '3_fails.mjs': `export const transaction = true;
export async function up({ db }) { await db.execute('INSERT INTO {p}a VALUES (2)'); throw new Error('no more'); }`,
    });
    await expect(migrate(db, at)).rejects.toMatchObject({
      code: 'DAL_MIGRATION_FAILED',
      migration: '3_fails',
      message: expect.stringMatching(/"3_fails.mjs" failed \(up\): no more.*rolled back/) as string,
    });
    expect(await db.queryValue(`SELECT COUNT(*) FROM ${prefix}a`)).toBe(1);
    expect((await migrationStatus(db, at)).map(({ state }) => state)).toEqual([
      'applied',
      'applied',
      'pending',
    ]);
    await rollback(db, at);
    expect(await db.queryValue(`SELECT COUNT(*) FROM ${prefix}a`)).toBe(0);
    await stage.write({ '3_fails.mjs': 'export const nothing = 1' });
    await expect(migrate(db, at)).rejects.toThrow(/needs: export async function up/);
  });

  test('one that fails in the middle: undone, or told of exactly and gone on with', async () => {
    await using stage = await setStage(engine);
    const { db, at, prefix } = stage;
    await stage.write({
      '1_a.sql': 'CREATE TABLE {p}a (id INT);',
      '2_half.sql':
        "CREATE TABLE {p}b (id INT);\n\nINSERT INTO {p}nothing\n VALUES ('secret');\nCREATE TABLE {p}c (id INT);",
      '3_d.sql': 'CREATE TABLE {p}d (id INT)',
    });
    const error: unknown = await migrate(db, at).catch((thrown: unknown) => thrown);
    expect(isDalError(error) && error.message).toMatch(
      new RegExp(
        `statement 2 of 3 \\(line 3: INSERT INTO ${prefix}nothing.*\\) of "2_half.sql" failed`,
      ),
    );
    expect(isDalError(error) && error.message).not.toContain('secret');
    expect(error).toMatchObject({ code: 'DAL_MIGRATION_FAILED', kind: 'schema' });
    if (!commits) {
      expect(await stage.tables()).toEqual(['a', 'history']);
      await db.execute(`CREATE TABLE ${prefix}nothing (id VARCHAR(9))`);
      expect((await migrate(db, at)).migrations).toHaveLength(2);
      return;
    }
    expect(await stage.tables()).toEqual(['a', 'b', 'history']);
    await expect(migrate(db, at)).rejects.toMatchObject({
      code: 'DAL_MIGRATION_HALF_WAY',
      migration: '2_half',
      message: expect.stringMatching(
        /"2_half.sql" was left half-way up: statement 2 of 3 \(line 3: INSERT INTO .*\) failed: schema 1146. Statement 1 is done.*up --resume" goes on at statement 2;.*resolve 2_half applied/,
      ) as string,
    });
    expect((await migrationStatus(db, at)).map(({ state }) => state)).toEqual([
      'applied',
      'half-way',
      'pending',
    ]);
    await expect(rollback(db, { ...at, resume: true })).rejects.toThrow(/can only go on up/);
    await db.execute(`CREATE TABLE ${prefix}nothing (id VARCHAR(9))`);
    await stage.write({
      '2_half.sql': "CREATE TABLE {p}x (id INT);\nINSERT INTO {p}nothing VALUES ('s');",
    });
    await expect(migrate(db, { ...at, resume: true })).rejects.toMatchObject({
      code: 'DAL_MIGRATION_CHANGED',
    });
    await stage.write({
      '2_half.sql':
        "CREATE TABLE {p}b (id INT);\nINSERT INTO {p}nothing VALUES ('s');\nCREATE TABLE {p}c (id INT)",
    });
    const { migrations } = await migrate(db, { ...at, resume: true });
    expect(migrations.map((run) => run.name)).toEqual(['2_half', '3_d']);
    expect(await stage.tables()).toEqual(['a', 'b', 'c', 'd', 'history', 'nothing']);
    expect((await migrate(db, at)).migrations).toEqual([]);
  });

  test('without a transaction: each statement stays, and a transaction of its own is undone', async () => {
    await using stage = await setStage(engine);
    const { db, at, prefix } = stage;
    await stage.write({
      '1_a.sql':
        '-- dal: no transaction\nCREATE TABLE {p}a (id INT);\nBEGIN;\nINSERT INTO {p}a VALUES (1);\nINSERT INTO {p}nothing VALUES (1);\nCOMMIT;',
    });
    await expect(migrate(db, at)).rejects.toMatchObject({ code: 'DAL_MIGRATION_FAILED' });
    expect(await db.queryValue(`SELECT COUNT(*) FROM ${prefix}a`)).toBe(0);
    // It goes on with the BEGIN, not in the middle of what was undone.
    await expect(migrate(db, at)).rejects.toThrow(
      /statement 4 of 5 \(line 5: .* failed.*Statement 1 is done.*goes on at statement 2;/,
    );
    await db.execute(`CREATE TABLE ${prefix}nothing (id INT)`);
    await migrate(db, { ...at, resume: true });
    expect(await db.queryValue(`SELECT COUNT(*) FROM ${prefix}a`)).toBe(1);
    await stage.write({
      '2_open.sql': '-- dal: no transaction\nBEGIN;\nINSERT INTO {p}a VALUES (2);',
    });
    await expect(migrate(db, at)).rejects.toThrow(/leaves a transaction open/);
    expect(await db.queryValue(`SELECT COUNT(*) FROM ${prefix}a`)).toBe(1);
    await resolveMigration(db, '2', 'pending', at);
    expect((await migrationStatus(db, at)).map(({ state }) => state)).toEqual([
      'applied',
      'pending',
    ]);
  });

  test('what a migration changes in its session is gone before anybody else gets it', async () => {
    await using stage = await setStage(engine);
    const { db, at } = stage;
    const [change, ask, before] =
      name === 'postgres'
        ? ["SELECT set_config('search_path', '', false)", 'SHOW search_path', '"$user", public']
        : name === 'sqlite'
          ? ['PRAGMA recursive_triggers = ON', 'PRAGMA recursive_triggers', 0]
          : ["SET SESSION sql_mode = ''", "SELECT @@sql_mode = ''", 0];
    await stage.write({
      '1_a.sql': `-- dal: no transaction\nCREATE TABLE {p}a (id INT);\n${change};`,
      '2_b.sql': '-- dal: no transaction\nSELECT 1;\nSELECT 2;',
    });
    await migrate(db, at);
    expect((await migrationStatus(db, at)).map(({ state }) => state)).toEqual([
      'applied',
      'applied',
    ]);
    expect(await db.queryValue(ask)).toBe(before);
  });

  test('a lock of the database is not waited for for ever', async () => {
    await using stage = await setStage(engine);
    const { db, at, prefix } = stage;
    await stage.write({ '1_a.sql': 'CREATE TABLE {p}a (id INT)' });
    await migrate(db, at);
    await stage.write({ '2_b.sql': 'ALTER TABLE {p}a ADD COLUMN more INT' });
    const blocker = await db.acquire();
    await blocker.begin();
    await blocker.execute(`INSERT INTO ${prefix}a (id) VALUES (1)`);
    const startedAt = performance.now();
    try {
      await expect(migrate(db, { ...at, lockTimeoutMs: 1_000 })).rejects.toMatchObject({
        kind: 'lockTimeout',
      });
    } finally {
      await blocker.rollback();
      await blocker.release();
    }
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    await migrate(db, { ...at, resume: true });
    expect((await db.schema.columns(`${prefix}a`)).map((column) => column.name)).toEqual([
      'id',
      'more',
    ]);
  });

  test('its own words for transactions are refused before anything runs', async () => {
    await using stage = await setStage(engine);
    const { db, at } = stage;
    await stage.write({
      '1_a.sql': 'CREATE TABLE {p}a (id INT)',
      '2_b.sql': 'BEGIN;\nCREATE TABLE {p}b (id INT);\nCOMMIT;',
    });
    if (commits) {
      expect((await migrate(db, at)).migrations).toHaveLength(2);
      return;
    }
    await expect(migrate(db, at)).rejects.toThrow(/"2_b.sql", line 1: BEGIN .*no transaction/);
    expect(await stage.tables()).toEqual([]);
  });

  test('a signal stops the statement, and nothing of it stays', async () => {
    await using stage = await setStage(engine);
    const { db, at, prefix } = stage;
    const slow = {
      postgres: 'SELECT pg_sleep(30)',
      mysql: 'SELECT SLEEP(30)',
      mariadb: 'SELECT SLEEP(30)',
      sqlite:
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n',
    }[name];
    await db.execute(`CREATE TABLE ${prefix}a (id INT)`);
    await stage.write({ '1_a.sql': `INSERT INTO {p}a VALUES (1);\n${slow};` });
    const stop = new AbortController();
    const startedAt = performance.now();
    setTimeout(() => stop.abort(), 700);
    await expect(migrate(db, { ...at, signal: stop.signal })).rejects.toMatchObject({
      kind: 'cancelled',
    });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(await db.queryValue(`SELECT COUNT(*) FROM ${prefix}a`)).toBe(0);
    await stage.write({ '1_a.sql': 'INSERT INTO {p}a VALUES (1);' });
    expect((await migrate(db, at)).migrations).toHaveLength(1);
  });
});

test('before enableMigrate(), db.migrate() says what is missing', async () => {
  const slot = Symbol.for('dal.migrate');
  const kept = (globalThis as Record<symbol, unknown>)[slot];
  (globalThis as Record<symbol, unknown>)[slot] = undefined;
  await using db = await createDatabase('sqlite::memory:');
  await expect(db.migrate({ dir: '.' })).rejects.toMatchObject({ code: 'DAL_MIGRATE_MISSING' });
  (globalThis as Record<symbol, unknown>)[slot] = kept;
});

test('a wrong option is refused by name', async () => {
  await using db = await createDatabase('sqlite::memory:');
  const wrong = { dir: '.', lockTimeout: 1 } as unknown as Parameters<typeof migrate>[1];
  await expect(migrate(db, wrong)).rejects.toThrow(/"lockTimeout".*Did you mean "lockTimeoutMs"/);
});
