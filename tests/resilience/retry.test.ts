// A line that drops two connections of three, to real servers: every call gets its answer, and no
// row is written twice.
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { attemptsOf, retry } from '@dal/resilience';
import { type FaultProxy, startFaultProxy } from '@dal/testing/faults';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';

describe.each(inject('engines').filter(({ name }) => name !== 'sqlite'))('$name', ({ url }) => {
  let admin: Database;
  let db: Database;
  let proxy: FaultProxy;

  beforeAll(async () => {
    proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    admin = await createDatabase(url);
    // The layer neither waits nor retries: what is seen here is done by the wrapper.
    db = await createDatabase(
      { url: proxy.through(url), connectTimeoutMs: 3_000 },
      { pool: { max: 1, failFast: true }, retry: { maxRetries: 0 } },
    );
    await admin.execute('DROP TABLE IF EXISTS resilience_rows');
    await admin.execute(`CREATE TABLE resilience_rows (id ${db.dialect.types.integer})`);
  });
  beforeEach(async () => {
    proxy.set('pass');
    await admin.execute('DELETE FROM resilience_rows');
  });
  afterAll(async () => {
    await admin.execute('DROP TABLE resilience_rows');
    await Promise.all([admin.close(), db.close()]);
    await proxy.close();
  });

  /** Of three attempts the first is refused, the second is cut while it logs in. */
  const faults = ['reset-on-accept', { cut: 'down', afterBytes: 1 }, 'pass'] as const;
  let attempt = 0;

  async function insertBehindFaults(id: number): Promise<void> {
    proxy.resetAll();
    await expect.poll(() => db.pool.stats().size).toBe(0);
    proxy.set(faults[attempt++ % 3] ?? 'pass');
    await db.execute('INSERT INTO resilience_rows VALUES (?)', [id]);
  }

  test('two connections of three are dropped: retry inserts every row once', async () => {
    const retries: number[] = [];
    const insert = retry({
      baseDelayMs: 5,
      onRetry: (event) => retries.push(event.attempt),
    })(insertBehindFaults);
    const before = proxy.counts.accepted;
    for (let id = 0; id < 10; id++) await insert(id);
    expect(retries).toEqual(Array.from({ length: 10 }, () => [1, 2]).flat());
    expect(proxy.counts.accepted - before).toBeGreaterThanOrEqual(30);
    expect(
      await admin.queryOne('SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS d FROM resilience_rows'),
    ).toEqual({ n: 10, d: 10 });
  });

  test('without another attempt the error carries nothing; with too few, all of them', async () => {
    attempt = 0;
    const alone = await insertBehindFaults(1).catch((error: unknown) => error);
    expect(alone).toMatchObject({ name: 'ConnectionError', attempts: [] });
    attempt = 0;
    const insert = retry(insertBehindFaults, { maxRetries: 1, baseDelayMs: 5 });
    const error = await insert(2).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: 'ConnectionError',
      fault: { applied: 'no' },
      attempts: [{ name: 'ConnectionError', fault: { applied: 'no' } }],
    });
    expect(attemptsOf(error)).not.toContain(error);
  });

  test('an INSERT whose answer is cut off is never sent twice', async () => {
    let calls = 0;
    const insert = retry({ baseDelayMs: 5 })(async (id: number) => {
      if (++calls === 1) proxy.set({ cut: 'down', afterBytes: 0 });
      else proxy.set('pass');
      await db.execute('INSERT INTO resilience_rows VALUES (?)', [id]);
    });
    // Once before, so that the connection is there and what is cut is no answer to a PREPARE.
    await db.execute('INSERT INTO resilience_rows VALUES (?)', [0]);
    await expect(insert(1)).rejects.toMatchObject({ fault: { applied: 'unknown' } });
    expect(calls).toBe(1);
    // It arrived, so a second attempt would have written it twice.
    await expect.poll(() => admin.queryValue('SELECT COUNT(*) FROM resilience_rows')).toBe(2);
  });

  test('a read whose answer is cut off runs again when it is called idempotent', async () => {
    let calls = 0;
    const read = retry({ baseDelayMs: 5, idempotent: true })(async () => {
      await db.query('SELECT 1');
      if (++calls < 3) proxy.set({ cut: 'down', afterBytes: 0 });
      try {
        return await db.queryValue('SELECT 7');
      } finally {
        proxy.set('pass');
      }
    });
    expect(await read()).toBe(7);
    expect(calls).toBe(3);
  });
});
