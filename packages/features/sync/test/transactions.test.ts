import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, QueryError, type SyncConnection, type SyncTransaction } from '@dal/core';
import { enableSync } from '@dal/sync';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { openEngine } from './open-databases.ts';

enableSync();

describe.each(inject('engines'))('$name', (engine) => {
  const table = `sync_transactions_${process.pid}`;
  let folder = '';
  let path = '';
  let db: Database;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dal-sync-'));
    path = join(folder, 'transactions.db');
    db = openEngine(engine, path);
    await db.execute(`DROP TABLE IF EXISTS ${table}`);
    await db.execute(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY)`);
  });

  beforeEach(async () => {
    await db.execute(`DELETE FROM ${table}`);
  });

  afterAll(async () => {
    await db.execute(`DROP TABLE IF EXISTS ${table}`);
    await db.close();
    await rm(folder, { recursive: true, force: true });
  });

  const insert = `INSERT INTO ${table} VALUES (?)`;
  /** As another session sees it: the awaited twin has connections of its own. */
  const seen = async (): Promise<unknown[]> =>
    (await db.query<{ id: number }>(`SELECT id FROM ${table} ORDER BY id`)).map(({ id }) => id);

  test('what the callback did is there when it returns, with its result', async () => {
    const result = db.sync.transaction((tx) => {
      tx.execute(insert, [1]);
      return tx.queryValue(`SELECT count(*) FROM ${table}`);
    });
    expect(Number(result)).toBe(1);
    expect(await seen()).toEqual([1]);
  });

  test('nothing is there when it throws, and its error is the one that comes out', async () => {
    const stop = new Error('stop');
    expect(() =>
      db.sync.transaction((tx) => {
        tx.execute(insert, [1]);
        throw stop;
      }),
    ).toThrow(stop);
    expect(await seen()).toEqual([]);
  });

  test('a transaction in a transaction is undone alone', async () => {
    db.sync.transaction((tx) => {
      tx.execute(insert, [1]);
      expect(() =>
        tx.transaction((inner) => {
          inner.execute(insert, [2]);
          throw new Error('only this');
        }),
      ).toThrow('only this');
      expect(tx.transaction((inner) => inner.execute(insert, [3]).affectedRows)).toBe(1);
    });
    expect(await seen()).toEqual([1, 3]);
  });

  test('it runs again after a failure that may pass, and says what went before', async () => {
    let runs = 0;
    const kept = db.sync.transaction(
      (tx) => {
        runs++;
        tx.execute(insert, [runs]);
        if (runs < 3) throw busy();
        return runs;
      },
      { retries: 3 },
    );
    expect(kept).toBe(3);
    expect(await seen()).toEqual([3]);
    const last = busy();
    expect(() =>
      db.sync.transaction(
        () => {
          throw last;
        },
        { retries: 1 },
      ),
    ).toThrow(last);
  });

  test('a callback that returns a promise is refused, and nothing of it stays', async () => {
    let later: unknown;
    const call = (): unknown =>
      db.sync.transaction(async (tx) => {
        tx.execute(insert, [1]);
        await Promise.resolve();
        try {
          tx.execute(insert, [2]);
        } catch (error) {
          later = error;
          throw error;
        }
      });
    expect(call).toThrow(expect.objectContaining({ code: 'DAL_SYNC_ASYNC_CALLBACK' }));
    await expect.poll(() => later).toMatchObject({ code: 'DAL_TRANSACTION_ENDED' });
    expect(await seen()).toEqual([]);
    expect(() => db.sync.connection(() => Promise.resolve())).toThrow('returned a promise');
  });

  test('statements beside the transaction are not in it', async () => {
    db.sync.transaction((tx) => {
      tx.execute(insert, [1]);
      expect(Number(db.sync.queryValue(`SELECT count(*) FROM ${table}`))).toBe(0);
    });
    expect(await seen()).toEqual([1]);
  });

  test('who needs a second connection of a pool of one is told, not left to wait', async () => {
    await using small = openEngine(engine, path, {
      pool: { max: 1, acquireTimeoutMs: 5_000 },
    });
    const began = performance.now();
    expect(() => small.sync.transaction(() => small.sync.query('SELECT 1'))).toThrow(
      expect.objectContaining({ code: 'DAL_NESTED_ACQUIRE' }),
    );
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(small.sync.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('a connection keeps what is set in it until its callback ends', () => {
    let kept: SyncConnection | undefined;
    const count = db.sync.connection((connection) => {
      kept = connection;
      connection.execute(`CREATE TEMPORARY TABLE only_here_${table} (a INTEGER)`);
      connection.execute(`INSERT INTO only_here_${table} VALUES (7)`);
      expect(connection.inTransaction).toBe(false);
      connection.begin();
      expect(connection.inTransaction).toBe(true);
      connection.execute(`INSERT INTO only_here_${table} VALUES (8)`);
      connection.rollback();
      connection.transaction((tx) => tx.execute(`INSERT INTO only_here_${table} VALUES (9)`));
      connection.begin();
      connection.commit();
      return Number(connection.queryValue(`SELECT count(*) FROM only_here_${table}`));
    });
    expect(count).toBe(2);
    expect(() => kept?.query('SELECT 1')).toThrow(
      expect.objectContaining({ code: 'DAL_USE_AFTER_RELEASE' }),
    );
    expect(() => db.sync.query(`SELECT * FROM only_here_${table}`)).toThrow(
      expect.objectContaining({ kind: 'schema' }),
    );
  });

  test('a transaction that has ended takes no more statements', async () => {
    let kept: SyncTransaction | undefined;
    db.sync.transaction((tx) => {
      kept = tx;
    });
    expect(() => kept?.execute(insert, [5])).toThrow(
      expect.objectContaining({ code: 'DAL_TRANSACTION_ENDED' }),
    );
    expect(await seen()).toEqual([]);
  });
});

function busy(): QueryError {
  return new QueryError('Somebody was faster.', {
    kind: 'serialization',
    fault: { kind: 'serialization', applied: 'no' },
  });
}
