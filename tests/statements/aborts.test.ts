import { setTimeout as sleep } from 'node:timers/promises';
import { isDalError } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { expect, inject, test } from 'vitest';

/** A statement of some milliseconds that answers what it was given. */
const slow = {
  postgres: 'SELECT ? :: int AS n, pg_sleep(0.004)',
  mysql: 'SELECT ? AS n, sleep(0.004) AS slept',
  mariadb: 'SELECT ? AS n, sleep(0.004) AS slept',
  sqlite:
    'WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20000) SELECT ? AS n, MAX(i) FROM c',
};
const ABORTS = 1_000;
const MAX = 4;
/** What each of the neighbours gets done. */
const LEAST = 50;

test.each(inject('engines'))(
  '$name: a thousand aborts at any moment hit nobody else and lose no connection',
  { timeout: 120_000 },
  async ({ name, url }) => {
    await using db = await createDatabase(url, { pool: { max: MAX } });
    await Promise.all(Array.from({ length: MAX }, () => db.query(slow[name], [1])));

    let aborted = 0;
    let answered = 0;
    let next = 0;
    const abortSome = async (): Promise<void> => {
      for (let n = next++; n < ABORTS; n = next++) {
        const controller = new AbortController();
        // Before it is sent, in flight, or as the answer comes.
        const delayMs = (n % 10) - 1;
        const running = db.queryValue(slow[name], [n], { signal: controller.signal });
        if (delayMs < 0) controller.abort();
        else setTimeout(() => controller.abort(), delayMs);
        try {
          expect(await running).toBe(n);
          answered++;
        } catch (error) {
          if (!isDalError(error) || error.code !== 'DAL_ABORTED') throw error;
          aborted++;
        }
      }
    };
    const end = new AbortController();
    // Those who give up while they wait are through in no time; a neighbour has to be served all the same.
    const neighbour = async (): Promise<void> => {
      for (let count = 0; count < LEAST || !end.signal.aborted; count++) {
        expect(await db.queryValue(slow[name], [count])).toBe(count);
        await sleep(1);
      }
    };
    const neighbours = [neighbour(), neighbour()];
    await Promise.all([abortSome(), abortSome(), abortSome()]);
    end.abort();
    const ended = performance.now();
    await Promise.all(neighbours);

    expect(aborted + answered).toBe(ABORTS);
    expect(aborted).toBeGreaterThan(ABORTS / 5);
    expect(performance.now() - ended).toBeLessThan(5_000);
    await expect.poll(() => db.pool.stats().lent, { timeout: 5_000 }).toBe(0);
    const { size } = db.pool.stats();
    expect(size).toBeLessThanOrEqual(MAX);
    // Where the server can stop a statement, its session lives on.
    if (name !== 'sqlite') expect(db.pool.stats().created).toBeLessThan(MAX + 20);
    const answers = await Promise.all(
      Array.from({ length: 3 * MAX }, (_, n) => db.queryValue(slow[name], [n])),
    );
    expect(answers).toEqual(Array.from({ length: 3 * MAX }, (_, n) => n));
  },
);
