import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DalError, type Database, QueryError, sql, type SyncDatabase } from '@dal/core';
import { sqlite, sqliteDriver } from '@dal/sqlite';
import { enableSync, openSyncDatabase } from '@dal/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

enableSync();

// SQLite in the program's own thread needs no worker: what blocks is the engine itself.
describe.skipIf(sqliteDriver.connectSync === undefined)('SQLite, inline', () => {
  let folder = '';
  let db: Database;
  let on: SyncDatabase;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dal-sync-'));
    db = sqlite({ path: join(folder, 'direct.db'), runsIn: 'inline' });
    on = db.sync;
    on.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, data BLOB)');
  });

  afterAll(async () => {
    await db.close();
    expect(() => on.query('SELECT 1')).toThrow(expect.objectContaining({ code: 'DAL_CLOSED' }));
    await rm(folder, { recursive: true, force: true });
  });

  test('no thread and no process is started', () => {
    const before = threads();
    expect(on.queryValue('SELECT 40 + 2')).toBe(42);
    expect(threads()).toBe(before);
  });

  test('answers and errors are those of the awaited calls', async () => {
    on.execute('INSERT INTO t VALUES (?, ?)', [1, Buffer.from('abc')]);
    expect(on.query('SELECT * FROM t')).toStrictEqual(await db.query('SELECT * FROM t'));
    expect(on.queryOne(sql`SELECT id FROM t WHERE id = ${1}`)).toEqual({ id: 1 });
    expect(on.queryValue('SELECT data FROM t')).toStrictEqual(Buffer.from('abc'));
    expect(on.version()).toStrictEqual(await db.version());
    for (const text of ['SELEKT', 'SELECT * FROM nowhere', 'INSERT INTO t (id) VALUES (1)']) {
      const awaited = await db.query(text).catch((error: unknown) => error as DalError);
      const { name, message, kind, code } = awaited as DalError;
      expect(() => on.query(text)).toThrow(expect.objectContaining({ name, message, kind, code }));
    }
    expect(() => on.query('SELECT ?', [])).toThrow('1 "?"');
    expect(() => on.queryExactlyOne('SELECT 1 WHERE 1 = 0')).toThrow('no row');
    on.execute('DELETE FROM t');
  });

  test('transactions and savepoints hold what they promise', async () => {
    const stop = new Error('stop');
    expect(() =>
      on.transaction((tx) => {
        tx.execute('INSERT INTO t (id) VALUES (1)');
        throw stop;
      }),
    ).toThrow(stop);
    on.transaction((tx) => {
      tx.execute('INSERT INTO t (id) VALUES (2)');
      expect(() =>
        tx.transaction((inner) => {
          inner.execute('INSERT INTO t (id) VALUES (3)');
          throw stop;
        }),
      ).toThrow(stop);
      expect(() => on.query('SELECT 1')).toThrow(
        expect.objectContaining({ code: 'DAL_NESTED_ACQUIRE' }),
      );
    });
    expect(await db.query('SELECT id FROM t')).toEqual([{ id: 2 }]);
    expect(() => on.transaction(async (tx) => tx.execute('DELETE FROM t'))).toThrow('promise');
    expect(() => on.transaction(() => 1, { isolation: 'x' })).toThrow('Isolation');
    let runs = 0;
    on.transaction(
      (tx) => {
        tx.execute('DELETE FROM t');
        if (++runs === 1) {
          throw new QueryError('again', {
            fault: { kind: 'serialization', applied: 'no' },
          });
        }
      },
      { retries: 1 },
    );
    expect(runs).toBe(2);
  });

  test('many rows are all there, or none', async () => {
    const rows = Array.from({ length: 3_000 }, (_, id) => ({ id, data: null }));
    expect(on.bulkInsert('t', rows)).toEqual({ affectedRows: 3_000 });
    let sum = 0;
    for (const batch of on.stream('SELECT id FROM t', [], { batchSize: 1_000 })) {
      expect(batch).toHaveLength(1_000);
      sum += batch.length;
    }
    expect(sum).toBe(3_000);
    expect([...on.stream('SELECT id FROM t ORDER BY id LIMIT 2').rows()]).toEqual([
      { id: 0 },
      { id: 1 },
    ]);
    on.execute('DELETE FROM t');
    expect(() => on.executeMany('INSERT INTO t (id) VALUES (?)', [[1], [1]])).toThrow(
      expect.objectContaining({ kind: 'unique' }),
    );
    expect(await db.query('SELECT * FROM t')).toEqual([]);
  });

  test('a connection keeps what is set in it until its callback ends', () => {
    const seen = on.connection((connection) => {
      connection.execute('CREATE TEMP TABLE only_here (a INTEGER)');
      connection.begin();
      connection.execute('INSERT INTO only_here VALUES (1)');
      expect(connection.inTransaction).toBe(true);
      connection.rollback();
      connection.executeMany('INSERT INTO only_here VALUES (?)', [[2], [3]]);
      connection.begin();
      return connection.queryValue('SELECT count(*) FROM only_here');
    });
    expect(seen).toBe(2);
    expect(() => on.query('SELECT * FROM only_here')).toThrow('no such table');
    // The BEGIN that was left open holds nobody up.
    on.execute('DELETE FROM t');
  });

  test('a database in memory keeps its data over transactions and connections', () => {
    using own = openSyncDatabase(sqliteDriver, { path: ':memory:', runsIn: 'inline' });
    own.execute('CREATE TABLE kept (a INTEGER)');
    own.connection((connection) => connection.execute('INSERT INTO kept VALUES (1)'));
    own.transaction((tx) => tx.execute('INSERT INTO kept VALUES (2)'));
    expect(own.queryValue('SELECT sum(a) FROM kept')).toBe(3);
  });
});

function threads(): number {
  return (process.report.getReport() as { readonly workers: readonly unknown[] }).workers.length;
}
