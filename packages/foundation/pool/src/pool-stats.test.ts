import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { soon, stage } from '../test/pool-stage.ts';
import { TimeHistogram } from './histogram.ts';

test('lengths of time fall into the bucket whose upper end they do not pass', () => {
  const histogram = new TimeHistogram();
  for (const ms of [0, 1, 1.01, 5, 99, 100, 9_999, 10_000, 10_001, 1e9]) histogram.record(ms);
  expect(histogram.read(3)).toEqual({
    boundsMs: [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000],
    counts: [5, 2, 0, 0, 2, 0, 0, 0, 2, 2],
    count: 13,
    sumMs: 0 + 1 + 1.01 + 5 + 99 + 100 + 9_999 + 10_000 + 10_001 + 1e9,
    maxMs: 1e9,
  });
});

test('all numbers add up against a log that the callers keep', async () => {
  const { pool, log, ends } = stage(
    { max: 3, maxWaiting: 4, acquireStacks: 'never' },
    { openMs: 2 },
  );
  const seen = { acquired: 0, failed: 0, timeouts: 0, refused: 0, waitMs: 0, useMs: 0, longest: 0 };
  const caller = async (turn: number): Promise<void> => {
    const asked = performance.now();
    try {
      const lease = await pool.acquire(soon(turn % 3 === 0 ? 3 : 500));
      const got = performance.now();
      seen.acquired++;
      seen.waitMs += got - asked;
      await sleep(turn % 5);
      const used = performance.now() - got;
      if (turn % 9 === 0) pool.discard(lease);
      else void pool.release(lease);
      seen.useMs += used;
      seen.longest = Math.max(seen.longest, used);
    } catch (error) {
      seen.failed++;
      const { code } = error as { code: string };
      if (code === 'DAL_POOL_TIMEOUT') seen.timeouts++;
      if (code === 'DAL_POOL_QUEUE_FULL') seen.refused++;
    }
  };
  for (let wave = 0; wave < 20; wave++) {
    await Promise.all(Array.from({ length: 9 }, (_, turn) => caller(wave + turn)));
    if (wave % 7 === 3) ends.at(-1)?.(new Error('cut'));
  }
  const stats = pool.stats();
  expect(seen.refused).toBeGreaterThan(0);
  expect(stats).toMatchObject({
    lent: 0,
    waiting: 0,
    acquired: seen.acquired,
    released: seen.acquired,
    acquireFailures: seen.failed,
    acquireTimeouts: seen.timeouts,
    acquireRefused: seen.refused,
    created: log.opened,
    peakLent: 3,
  });
  expect(stats.created - stats.destroyed).toBe(stats.size);
  expect(stats.acquired + stats.acquireFailures).toBe(20 * 9);
  expect(stats.wait.count).toBe(seen.acquired);
  expect(stats.use.count).toBe(seen.acquired);
  expect(stats.create.count).toBe(log.opened);
  // A caller sees the end of its wait a little later than the pool.
  expect(stats.wait.sumMs).toBeLessThanOrEqual(seen.waitMs);
  expect(stats.use.sumMs).toBeGreaterThanOrEqual(seen.useMs);
  expect(stats.use.maxMs).toBeGreaterThanOrEqual(seen.longest);
  expect(Math.abs(stats.wait.sumMs + stats.use.sumMs - seen.waitMs - seen.useMs)).toBeLessThan(100);
  for (const { counts, count } of [stats.wait, stats.use, stats.create]) {
    expect(counts.reduce((sum, bucket) => sum + bucket, 0)).toBe(count);
  }
  expect(stats.create.sumMs).toBeGreaterThanOrEqual(log.opened);
  await pool.close(100);
  expect(pool.stats()).toMatchObject({ size: 0, destroyed: stats.created });
});
