import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { inject, test } from 'vitest';
import { SessionWatch } from '../chaos/watch-sessions.ts';

const servers = inject('engines').filter(({ name }) => name !== 'sqlite');

const MAX = 5;
const CALLERS = 12;
const CALL_MS = 500;
const HOLE_MS = 3_000;
/** What the machine may add on a bad day. */
const SLACK_MS = 500;

/** Asks again and again; answers when it was served, on the clock of `performance.now()`. */
async function keepAsking(db: Database, signal: AbortSignal, onServed: () => void): Promise<void> {
  while (!signal.aborted) {
    try {
      await db.queryValue('SELECT 7', [], { timeoutMs: CALL_MS });
      onServed();
    } catch {
      // Most fail in between, each in its own time.
    }
    await sleep(20);
  }
}

test.concurrent.for(servers)(
  '$name: nothing arrives for a while: served within a second of the return, whatever connects may take',
  { timeout: 30_000 },
  async ({ url }, { expect }) => {
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    await using direct = await createDatabase(url, { pool: { max: 1 }, applicationName: 'direct' });
    // The connect timeout is the default: much longer than the hole.
    await using db = await createDatabase(proxy.through(url), { pool: { max: MAX } });
    await Promise.all(Array.from({ length: MAX }, () => db.query('SELECT 1')));
    const watch = new SessionWatch(direct, proxy, MAX);
    const over = new AbortController();
    let servedAt: number[] = [];
    const asking = Array.from({ length: CALLERS }, () =>
      keepAsking(db, over.signal, () => servedAt.push(performance.now())),
    );
    try {
      await sleep(200);
      expect(servedAt.length).toBeGreaterThan(0);

      const before = proxy.counts.accepted;
      proxy.set('drop-down');
      await sleep(HOLE_MS - 1_000);
      const late = proxy.counts.accepted;
      await sleep(1_000);
      const { accepted } = proxy.counts;
      servedAt = [];
      proxy.set('pass');
      const back = performance.now();
      await expect.poll(() => servedAt.length, { interval: 5, timeout: 5_000 }).toBeGreaterThan(0);
      expect((servedAt[0] as number) - back).toBeLessThan(1_000 + SLACK_MS);
      // Each session that was cut had a cancel and an attempt in its place; then one at a time.
      expect(accepted - before).toBeLessThanOrEqual(2 * MAX + 10 * (HOLE_MS / 1_000));
      expect(accepted - late).toBeGreaterThan(0);
      expect(accepted - late).toBeLessThanOrEqual(10 + MAX);

      // Nothing is held by attempts that wait for what was lost.
      await expect
        .poll(() => db.pool.stats(), { timeout: 2_000 })
        .toMatchObject({ connecting: 0, size: MAX });
    } finally {
      over.abort();
      await Promise.all(asking);
    }
    const sessions = await watch.stop();
    expect(sessions.looks).toBeGreaterThan(10);
    // The server may notice the end of one a moment after the next has begun.
    expect(sessions.longestExcessMs, sessions.inExcess.join('; ')).toBeLessThan(100);
  },
);

test.concurrent.for(servers)(
  '$name: a statement whose cancel nobody hears of gives its place back soon',
  async ({ url, name }, { expect }) => {
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    await using db = await createDatabase(proxy.through(url), { pool: { max: 1 } });
    await db.query('SELECT 1');
    proxy.set('drop-down');
    const late = db.query('SELECT 7', [], { timeoutMs: 200 });
    await expect(late).rejects.toMatchObject({ code: 'DAL_STATEMENT_TIMEOUT' });
    const told = performance.now();
    await expect.poll(() => db.pool.stats().lent, { interval: 5, timeout: 5_000 }).toBe(0);
    // The proxy takes the line, which is all that PostgreSQL says to a cancel before it is done.
    expect(performance.now() - told).toBeLessThan((name === 'postgres' ? 2_000 : 750) + SLACK_MS);

    // The cancel gets through, but the answer is lost: it is not waited for much longer.
    proxy.set('pass');
    await db.query('SELECT 1');
    proxy.set('drop-down');
    const lost = db.query('SELECT 7', [], { timeoutMs: 200 });
    await sleep(100);
    proxy.set('pass');
    await expect(lost).rejects.toMatchObject({ code: 'DAL_STATEMENT_TIMEOUT' });
    const asked = performance.now();
    expect(await db.queryValue('SELECT 7')).toBe(7);
    expect(performance.now() - asked).toBeLessThan(750 + SLACK_MS);
  },
);
