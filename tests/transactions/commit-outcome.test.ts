import type { Database, Transaction } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { type FaultProxy, startFaultProxy } from '@dal/testing/faults';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startAbandoningProxy } from './abandoning-proxy.ts';

interface Way {
  readonly way: string;
  readonly url: string;
  readonly options: Readonly<Record<string, unknown>>;
}

const ways = inject('engines')
  .filter(({ name }) => name !== 'sqlite')
  .flatMap(({ name, url }): Way[] => [
    { way: `${name}, by a commit table`, url, options: { commitTable: 'dal_commits_test' } },
    ...(name === 'postgres' ? [{ way: `${name}, by the transaction's id`, url, options: {} }] : []),
  ]);

describe.each(ways)('$way', ({ way, url, options }) => {
  const table = `resolved_${way.replaceAll(/\W+/g, '_')}`;
  let direct: Database;
  let proxy: FaultProxy;
  let db: Database;
  const quick = { ...options, retry: { baseDelayMs: 5, maxDelayMs: 50 } };

  beforeAll(async () => {
    direct = await createDatabase(url, { name: 'direct' });
    await direct.execute(`DROP TABLE IF EXISTS ${table}`);
    await direct.execute(`CREATE TABLE ${table} (id ${direct.dialect.types.integer} NOT NULL)`);
    proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    db = await createDatabase(proxy.through(url), { ...quick, pool: { max: 2 } });
  });
  afterAll(async () => {
    await db.close();
    await proxy.close();
    await direct.execute(`DROP TABLE ${table}`);
    await direct.close();
  });

  const times = async (id: number): Promise<number> =>
    Number(await direct.queryValue(`SELECT COUNT(*) FROM ${table} WHERE id = ?`, [id]));
  const insert = (on: Pick<Transaction, 'execute'>, id: number): Promise<unknown> =>
    on.execute(`INSERT INTO ${table} (id) VALUES (?)`, [id]);
  /** From now on one direction is lost, for a moment; then the line is cut, and new ones are fine. */
  const lose = (direction: 'drop-up' | 'drop-down'): void => {
    proxy.set(direction);
    setTimeout(() => {
      proxy.resetAll();
      proxy.set('pass');
    }, 100);
  };

  test('the answer to COMMIT is lost: it is found to have succeeded', async () => {
    let runs = 0;
    const answer = await db.transaction(
      async (tx) => {
        runs++;
        await insert(tx, 1);
        lose('drop-down');
        return 'answer';
      },
      { retries: 3 },
    );
    expect(answer).toBe('answer');
    expect(runs).toBe(1);
    expect(await times(1)).toBe(1);
  });

  test('COMMIT itself is lost: it is found to be rolled back, and may run again', async () => {
    let runs = 0;
    await db.transaction(
      async (tx) => {
        runs++;
        await insert(tx, 2);
        if (runs === 1) lose('drop-up');
      },
      { retries: 1 },
    );
    expect(runs).toBe(2);
    expect(await times(2)).toBe(1);

    const once = db.transaction(async (tx) => {
      await insert(tx, 3);
      lose('drop-up');
    });
    await expect(once).rejects.toMatchObject({
      name: 'TransactionError',
      code: 'DAL_COMMIT_ROLLED_BACK',
      fault: { applied: 'no' },
    });
    expect(await times(3)).toBe(0);
  });

  test('the session is left alone with its transaction: it is ended, then all is sure', async () => {
    await using line = await startAbandoningProxy(Number(new URL(url).port));
    await using lonely = await createDatabase(line.through(url), { ...quick, pool: { max: 1 } });
    const attempt = lonely.transaction(async (tx) => {
      await insert(tx, 4);
      // COMMIT goes nowhere, and nobody tells the server.
      setImmediate(() => line.abandon());
    });
    const outcome = await attempt.then(
      () => 'committed',
      (error: unknown) => error,
    );
    if (outcome === 'committed') expect(await times(4)).toBe(1);
    else {
      expect(outcome).toMatchObject({ fault: { applied: 'no' } });
      expect(await times(4)).toBe(0);
      // Nothing of it comes later, and nobody holds a lock.
      await direct.execute(`DELETE FROM ${table} WHERE id = 4`, [], { timeoutMs: 1_000 });
    }
  });

  test('a commit by hand is resolved as well, and the connection is given up', async () => {
    const connection = await db.acquire();
    await connection.begin();
    await insert(connection, 5);
    lose('drop-down');
    await connection.commit();
    expect(await times(5)).toBe(1);
    await expect(connection.query('SELECT 1')).rejects.toMatchObject({ name: 'ConnectionError' });
    await connection.release();
    expect(await db.queryValue('SELECT 7')).toBe(7);
  });

  test('a transaction on a connection is resolved too', async () => {
    await using single = await createDatabase(proxy.through(url), { ...quick, pool: { max: 1 } });
    await single.connection(async (connection) => {
      await connection.transaction(async (tx) => {
        await insert(tx, 6);
        lose('drop-down');
      });
    });
    expect(await times(6)).toBe(1);
    expect(await single.queryValue('SELECT 7')).toBe(7);
  });

  test(
    'cut anywhere around COMMIT, what is told is what is there',
    { timeout: 60_000 },
    async () => {
      const counts = { committed: 0, rolledBack: 0, unknown: 0 };
      for (let id = 1_000; id < 1_040; id++) {
        const direction = id % 2 === 0 ? 'up' : 'down';
        const outcome = await db
          .transaction(async (tx) => {
            await insert(tx, id);
            proxy.set({ cut: direction, afterBytes: Math.floor(Math.random() * 60) });
            setTimeout(() => {
              proxy.resetAll();
              proxy.set('pass');
            }, 15);
          })
          .then(
            () => 'committed' as const,
            (error: { fault?: { applied?: string } }) =>
              error.fault?.applied === 'no' ? ('rolledBack' as const) : ('unknown' as const),
          );
        counts[outcome]++;
        await expect.poll(() => proxy.mode).toBe('pass');
        const present = await times(id);
        if (outcome !== 'unknown')
          expect([id, present]).toEqual([id, outcome === 'committed' ? 1 : 0]);
      }
      console.log(`${way}: ${JSON.stringify(counts)}`);
      expect(counts.unknown).toBe(0);
      expect(counts.committed).toBeGreaterThan(0);
    },
  );

  test('nothing is asked when the deadline leaves no time for it', async () => {
    const outcome = db.transaction(
      async (tx) => {
        await insert(tx, 7);
        proxy.set('drop-down');
      },
      { timeoutMs: 300, retries: 3 },
    );
    await expect(outcome).rejects.toMatchObject({ name: 'CommitOutcomeUnknownError' });
    proxy.resetAll();
    proxy.set('pass');
    expect(await times(7)).toBe(1);
  });
});
