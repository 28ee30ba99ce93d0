import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DalError, type Database, isDalError } from '@dal/core';
import { postgres } from '@dal/postgres';
import { sqlite } from '@dal/sqlite';
import { enableSync, openSyncDatabase } from '@dal/sync';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openEngine } from './open-databases.ts';

enableSync();

describe.each(inject('engines'))('$name', (engine) => {
  const table = `sync_errors_${process.pid}`;
  let folder = '';
  let db: Database;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dal-sync-'));
    db = openEngine(engine, join(folder, 'errors.db'));
    await db.execute(`DROP TABLE IF EXISTS ${table}`);
    await db.execute(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)`);
    await db.execute(`INSERT INTO ${table} VALUES (1, 1), (2, 2)`);
  });

  afterAll(async () => {
    await db.execute(`DROP TABLE IF EXISTS ${table}`);
    await db.close();
    await rm(folder, { recursive: true, force: true });
  });

  const aborted = AbortSignal.abort(new Error('changed my mind'));
  const calls: readonly (readonly [string, (on: Database) => unknown])[] = [
    ['a duplicate key', (on) => on.execute(`INSERT INTO ${table} VALUES (?, ?)`, [1, 1])],
    ['a missing value', (on) => on.execute(`INSERT INTO ${table} VALUES (?, ?)`, [3, null])],
    ['wrong syntax', (on) => on.query('SELEKT 1')],
    ['a missing table', (on) => on.query('SELECT * FROM nowhere_to_be_found')],
    ['too many rows', (on) => on.queryOne(`SELECT * FROM ${table}`)],
    ['too few rows', (on) => on.queryExactlyOne(`SELECT * FROM ${table} WHERE id = 9`)],
    ['too few values', (on) => on.query(`SELECT * FROM ${table} WHERE id = ?`)],
    ['undefined as a value', (on) => on.query('SELECT ?', [undefined])],
    ['a function as a value', (on) => on.query('SELECT ?', [() => 1])],
    ['values that are no list', (on) => on.query('SELECT ?', 7 as unknown as [])],
    ['a statement that is none', (on) => on.query(7 as unknown as string)],
    ['a wrong timeout', (on) => on.query('SELECT 1', [], { timeoutMs: 'soon' })],
    ['an aborted signal', (on) => on.query('SELECT 1', [], { signal: aborted })],
    ['a wrong row', (on) => on.executeMany(`INSERT INTO ${table} VALUES (?, ?)`, [[5], [6, 6]])],
    ['a strange isolation', (on) => on.transaction((() => undefined) as never, { isolation: 'x' })],
  ];

  test.each(calls)('%s gives the error of the awaited call', async (_, call) => {
    const awaited = await caught(async () => call(db));
    const blocked = await caught(() => call(db.sync as unknown as Database));
    expect(blocked.constructor).toBe(awaited.constructor);
    expect(asData(blocked)).toStrictEqual(asData(awaited));
    expect(blocked.stack).toContain('errors.test.ts');
    expect(blocked).toMatchObject({ message: awaited.message });
  });

  test("the server's error has the stack of the call", async () => {
    const error = await caught(() => db.sync.query('SELEKT 1'));
    expect(error.stack?.split('\n    at ')[1]).toContain('errors.test.ts');
  });
});

describe('what a worker thread cannot have', () => {
  test('a password function is named, with what to do', async () => {
    const { url } = inject('engines').find(({ name }) => name === 'postgres')!;
    await using db = postgres({ url, password: () => 'secret' });
    expect(() => db.sync.query('SELECT 1')).toThrow(
      expect.objectContaining({
        code: 'DAL_SYNC_OPTION',
        message: expect.stringMatching(/"password".*function/),
      }),
    );
  });

  test('a database in memory has no twin, but a blocking one of its own', async () => {
    await using db = sqlite('sqlite::memory:');
    expect(() => db.sync.query('SELECT 1')).toThrow(
      expect.objectContaining({ code: 'DAL_SYNC_ONE_SESSION' }),
    );
    const { driver } = await import('@dal/sqlite');
    using own = openSyncDatabase(driver, 'sqlite::memory:');
    own.execute('CREATE TABLE t (a INTEGER)');
    own.execute('INSERT INTO t VALUES (?)', [7]);
    expect(own.query('SELECT * FROM t')).toEqual([{ a: 7 }]);
  });

  test('a driver that names no module is refused', async () => {
    const { driver } = await import('@dal/sqlite');
    const nameless = { ...driver, module: undefined } as unknown as typeof driver;
    expect(() => openSyncDatabase(nameless, 'sqlite:./never-made.db')).toThrow('which module');
  });

  test('a wrong option is refused as ever', async () => {
    const { driver } = await import('@dal/sqlite');
    expect(() => openSyncDatabase(driver, { paht: 'x.db' })).toThrow('Did you mean "path"');
  });
});

async function caught(call: () => unknown): Promise<DalError> {
  try {
    await call();
  } catch (error) {
    expect(isDalError(error)).toBe(true);
    return error as DalError;
  }
  throw new Error('Nothing was thrown.');
}

function asData(error: DalError): object {
  const { name, message, kind, code, fault, attempts } = error;
  const cause = error.cause as (Error & { code?: unknown }) | undefined;
  return {
    name,
    message,
    kind,
    code,
    fault,
    attempts: attempts.map((attempt) => attempt.message),
    cause: cause && {
      isError: cause instanceof Error,
      name: cause.name,
      message: cause.message,
      code: cause.code,
      fields: Object.fromEntries(Object.entries(cause)),
    },
  };
}
