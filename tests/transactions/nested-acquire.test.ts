import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterEach, describe, expect, inject, test } from 'vitest';

// The pool is the same for all engines; two of them show that it is.
const engines = inject('engines').filter(({ name }) => name === 'postgres' || name === 'sqlite');

describe.each(engines)('$name', ({ url }) => {
  let db: Database;
  const open = async (max: number): Promise<Database> => {
    db = await createDatabase(url, { pool: { max, acquireTimeoutMs: 5_000 } });
    await db.connect();
    return db;
  };
  afterEach(() => db.close());

  test.each(['query', 'acquire', 'transaction', 'connection'] as const)(
    'the only connection is held by a callback that asks for another: %s',
    async (verb) => {
      await open(1);
      const ask: Record<typeof verb, () => Promise<unknown>> = {
        query: () => db.query('SELECT 1'),
        acquire: () => db.acquire(),
        transaction: () => db.transaction(async () => undefined),
        connection: () => db.connection(async () => undefined),
      };
      const started = performance.now();
      const outcome = db.transaction(async (tx) => {
        await tx.query('SELECT 1');
        await ask[verb]();
      });
      const error = await outcome.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        name: 'NestedAcquireError',
        code: 'DAL_NESTED_ACQUIRE',
        kind: 'usage',
      });
      expect(performance.now() - started).toBeLessThan(2_000);
      // Where the outer one was taken, and where the inner one was asked for.
      const { message } = error as Error;
      expect(message.match(/nested-acquire\.test\.ts/g)?.length).toBeGreaterThanOrEqual(2);
      expect(await db.queryValue('SELECT 7')).toBe(7);
    },
  );

  test('all connections are held by callbacks that ask for another: one gives way, the others go on', async () => {
    await open(3);
    let inside = 0;
    const everybodyIn = Promise.withResolvers<void>();
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map(() =>
        db.connection(async (connection) => {
          await connection.query('SELECT 1');
          if (++inside === 3) everybodyIn.resolve();
          await everybodyIn.promise;
          return db.queryValue('SELECT 7');
        }),
      ),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(3);
    for (const outcome of refused) {
      expect(outcome).toMatchObject({ reason: { name: 'NestedAcquireError' } });
    }
  });

  test('somebody else who may still give back is waited for', async () => {
    await open(2);
    const other = await db.acquire();
    const outcome = db.transaction(async (tx) => {
      await tx.query('SELECT 1');
      return db.queryValue('SELECT 7');
    });
    await sleep(400);
    await other.release();
    expect(await outcome).toBe(7);
  });

  test('a statement that nobody waits for may wait for the end of its own transaction', async () => {
    await open(1);
    let audit: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      audit = db.queryValue('SELECT 7');
      await tx.query('SELECT 1');
    });
    expect(await audit).toBe(7);
  });

  test('a callback that holds a connection of another database may wait for this one', async () => {
    await open(1);
    await using other = await createDatabase(url, { shared: false, pool: { max: 1 } });
    const held = await db.acquire();
    const outcome = other.connection(() => db.queryValue('SELECT 7'));
    await sleep(300);
    await held.release();
    expect(await outcome).toBe(7);
  });
});
