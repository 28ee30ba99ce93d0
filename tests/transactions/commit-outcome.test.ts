import type { Database, Transaction } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type CommitProxy, startCommitProxy } from './commit-proxy.ts';

interface Way {
  readonly way: string;
  readonly url: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The line that fails at COMMIT has to read it. */
const plain = (url: string): { url: string; tls: string } => ({ url, tls: 'disable' });

const ways = inject('engines')
  .filter(({ name }) => name !== 'sqlite')
  .flatMap(({ name, url }): Way[] => [
    { way: `${name}, by a commit table`, url, options: { commitTable: 'dal_commits_test' } },
    ...(name === 'postgres' ? [{ way: `${name}, by the transaction's id`, url, options: {} }] : []),
  ]);

describe.each(ways)('$way', ({ way, url, options }) => {
  const table = `resolved_${way.replaceAll(/\W+/g, '_')}`;
  let direct: Database;
  let proxy: CommitProxy;
  let db: Database;
  const quick = { ...options, retry: { baseDelayMs: 5, maxDelayMs: 50 } };

  beforeAll(async () => {
    direct = await createDatabase(url, { name: 'direct' });
    await direct.execute(`DROP TABLE IF EXISTS ${table}`);
    await direct.execute(`CREATE TABLE ${table} (id ${direct.dialect.types.integer} NOT NULL)`);
    proxy = await startCommitProxy(Number(new URL(url).port));
    db = await createDatabase(plain(proxy.through(url)), { ...quick, pool: { max: 2 } });
  });
  afterAll(async () => {
    await db.close();
    await proxy[Symbol.asyncDispose]();
    await direct.execute(`DROP TABLE ${table}`);
    await direct.close();
  });

  const times = async (id: number): Promise<number> =>
    Number(await direct.queryValue(`SELECT COUNT(*) FROM ${table} WHERE id = ?`, [id]));
  const insert = (on: Pick<Transaction, 'execute'>, id: number): Promise<unknown> =>
    on.execute(`INSERT INTO ${table} (id) VALUES (?)`, [id]);
  test('the answer to COMMIT is lost: it is found to have succeeded', async () => {
    let runs = 0;
    const answer = await db.transaction(
      async (tx) => {
        runs++;
        await insert(tx, 1);
        proxy.arm({ down: 0 });
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
        if (runs === 1) proxy.arm({ up: 0 });
      },
      { retries: 1 },
    );
    expect(runs).toBe(2);
    expect(await times(2)).toBe(1);

    const once = db.transaction(async (tx) => {
      await insert(tx, 3);
      proxy.arm({ up: 0 });
    });
    await expect(once).rejects.toMatchObject({
      name: 'TransactionError',
      code: 'DAL_COMMIT_ROLLED_BACK',
      fault: { applied: 'no' },
    });
    expect(await times(3)).toBe(0);
  });

  test('the session is left alone with its transaction: it is ended, then all is sure', async () => {
    proxy.arm('abandon');
    const attempt = db.transaction((tx) => insert(tx, 4));
    await expect(attempt).rejects.toMatchObject({
      code: 'DAL_COMMIT_ROLLED_BACK',
      fault: { applied: 'no' },
    });
    expect(await times(4)).toBe(0);
    // Nobody holds the table any more, and nothing comes later.
    await direct.execute(`DELETE FROM ${table}`, [], { timeoutMs: 2_000 });
  });

  test('a commit by hand is resolved as well, and the connection is given up', async () => {
    const connection = await db.acquire();
    await connection.begin();
    await insert(connection, 5);
    proxy.arm({ down: 0 });
    await connection.commit();
    expect(await times(5)).toBe(1);
    await expect(connection.query('SELECT 1')).rejects.toMatchObject({ name: 'ConnectionError' });
    await connection.release();
    expect(await db.queryValue('SELECT 7')).toBe(7);
  });

  test('a transaction on a connection is resolved too', async () => {
    await using single = await createDatabase(plain(proxy.through(url)), {
      ...quick,
      pool: { max: 1 },
    });
    await single.connection(async (connection) => {
      await connection.transaction(async (tx) => {
        await insert(tx, 6);
        proxy.arm({ down: 0 });
      });
    });
    expect(await times(6)).toBe(1);
    expect(await single.queryValue('SELECT 7')).toBe(7);
  });

  test('cut anywhere around COMMIT, what is told is what is there', async () => {
    const counts = { committed: 0, rolledBack: 0, unknown: 0 };
    for (let id = 1_000; id < 1_040; id++) {
      const outcome = await db
        .transaction(async (tx) => {
          await insert(tx, id);
          const bytes = Math.floor(Math.random() * 40);
          proxy.arm(id % 2 === 0 ? { up: bytes } : { down: bytes });
        })
        .then(
          () => 'committed' as const,
          (error: { fault?: { applied?: string } }) =>
            error.fault?.applied === 'no' ? ('rolledBack' as const) : ('unknown' as const),
        );
      counts[outcome]++;
      const present = await times(id);
      if (outcome !== 'unknown') {
        expect([id, present]).toEqual([id, outcome === 'committed' ? 1 : 0]);
      }
    }
    expect(counts.unknown).toBe(0);
    expect(counts.committed).toBeGreaterThanOrEqual(20);
    expect(counts.rolledBack).toBeGreaterThan(0);
  });

  test('nothing is asked when the deadline leaves no time for it', async () => {
    const outcome = db.transaction(
      async (tx) => {
        await insert(tx, 7);
        proxy.arm('hold');
      },
      { timeoutMs: 300, retries: 3 },
    );
    await expect(outcome).rejects.toMatchObject({ name: 'CommitOutcomeUnknownError' });
    expect(await times(7)).toBe(1);
  });
});
