import { expect, test } from 'vitest';
import { soon, stage } from '../test/pool-stage.ts';

test('nothing is opened before it is needed, and sessions are used again', async () => {
  const { pool, log } = stage();
  expect(log.opened).toBe(0);
  for (let turn = 0; turn < 5; turn++) void pool.release(await pool.acquire(soon()));
  expect(log.opened).toBe(1);
  expect(pool.stats()).toMatchObject({ idle: 1, lent: 0, acquired: 5, released: 5 });
  await pool.close(1_000);
});

test('never more than max, also while sessions are opened; waiters are served in order', async () => {
  const { pool, log } = stage({ max: 3 }, { openMs: 5 });
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 30 }, async (_, turn) => {
      const lease = await pool.acquire(soon());
      order.push(turn);
      await new Promise((resolve) => setTimeout(resolve, 1));
      void pool.release(lease);
    }),
  );
  expect(log.most).toBe(3);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  await pool.close(1_000);
});

test('a waiter that gives up in the moment of a release loses nothing', async () => {
  for (let ticks = 0; ticks < 12; ticks++) {
    const { pool } = stage({ max: 1 });
    const holder = await pool.acquire(soon());
    const aborter = new AbortController();
    const impatient = pool.acquire(soon(1_000, aborter.signal));
    impatient.catch(() => undefined);
    aborter.abort();
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    void pool.release(holder);
    void pool.release(await pool.acquire(soon(200)));
    await expect(impatient).rejects.toMatchObject({ code: 'DAL_ABORTED' });
    await pool.close(100);
  }
});

test('the wait ends in time and names the place in the code that holds the session', async () => {
  const { pool } = stage({ max: 1 });
  const holder = await pool.acquire(soon());
  holder.lastStatement = 'SELECT slow';
  const started = performance.now();
  await expect(pool.acquire(soon(50))).rejects.toThrow(/1 of 1 lent.*pool\.test\.ts.*SELECT slow/s);
  expect(performance.now() - started).toBeLessThan(500);
  expect(pool.stats()).toMatchObject({ waiting: 0, acquireTimeouts: 1 });
  void pool.release(holder);
  await pool.close(100);
});

test('while the server lets nobody in, the error says so instead of blaming holders', async () => {
  const { pool } = stage({ max: 2 }, { openMs: 300 });
  await expect(pool.acquire(soon(30))).rejects.toMatchObject({ code: 'DAL_CONNECT_TIMEOUT' });
  await pool.close(1_000);
});

test('the queue has a bound', async () => {
  const { pool } = stage({ max: 1, maxWaiting: 2 });
  const holder = await pool.acquire(soon());
  const waiting = [pool.acquire(soon()), pool.acquire(soon())];
  await expect(pool.acquire(soon())).rejects.toMatchObject({ code: 'DAL_POOL_QUEUE_FULL' });
  void pool.release(holder);
  for (const next of waiting) void pool.release(await next);
  await pool.close(100);
});

test('a failed connect is told to one waiter, and the others are served', async () => {
  const { pool, log } = stage({ max: 1 });
  log.failures = 1;
  const [first, second] = [pool.acquire(soon()), pool.acquire(soon())];
  await expect(first).rejects.toThrow('refused');
  void pool.release(await second);
  expect(pool.stats()).toMatchObject({ connectErrors: 1, created: 1, waiting: 0 });
  await pool.close(100);
});

test('an idle session whose end is noticed is gone at once', async () => {
  const { pool, ends, log } = stage();
  void pool.release(await pool.acquire(soon()));
  ends[0]?.(new Error('cut'));
  expect(pool.stats()).toMatchObject({ idle: 0, lostConnections: 1 });
  void pool.release(await pool.acquire(soon()));
  expect(log.opened).toBe(2);
  await pool.close(100);
});

test('a session that was idle for long is asked for a sign of life first', async () => {
  const { pool, log } = stage({ validate: { afterIdleMs: 10 } });
  void pool.release(await pool.acquire(soon()));
  void pool.release(await pool.acquire(soon()));
  expect(log.pings).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  void pool.release(await pool.acquire(soon()));
  expect(log.pings).toBe(1);
  await pool.close(100);
});

test('idle sessions are closed after their time, down to min', async () => {
  const { pool, open } = stage({ min: 1, max: 3, idleTimeoutMs: 30 });
  const leases = await Promise.all([
    pool.acquire(soon()),
    pool.acquire(soon()),
    pool.acquire(soon()),
  ]);
  for (const lease of leases) void pool.release(lease);
  expect(open.size).toBe(3);
  await expect.poll(() => open.size).toBe(1);
  await pool.close(100);
});

test('a session is replaced when its time is over, never while it is lent', async () => {
  const { pool, log } = stage({ maxLifetimeMs: 30 });
  const lease = await pool.acquire(soon());
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(log.closed).toBe(0);
  void pool.release(lease);
  await expect.poll(() => log.closed).toBe(1);
  await pool.close(100);
});

test('close waits for what is lent, refuses what waits, and ends in time', async () => {
  const { pool, open } = stage({ max: 1 });
  const holder = await pool.acquire(soon());
  const waiting = pool.acquire(soon());
  const refused = expect(waiting).rejects.toMatchObject({ code: 'DAL_CLOSED' });
  const closing = pool.close(2_000);
  await refused;
  setTimeout(() => void pool.release(holder), 30);
  await closing;
  expect(open.size).toBe(0);
  await expect(pool.acquire(soon())).rejects.toMatchObject({ code: 'DAL_CLOSED' });
});

test('close does not wait longer than it may for a holder that never comes back', async () => {
  const { pool, open } = stage({ max: 1 });
  await pool.acquire(soon());
  const started = performance.now();
  await Promise.all([pool.close(50), pool.close(50)]);
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(open.size).toBe(0);
});

test('a session that opens while the pool closes does not stay open', async () => {
  const { pool, open } = stage({}, { openMs: 30 });
  const waiting = pool.acquire(soon());
  const refused = expect(waiting).rejects.toMatchObject({ code: 'DAL_CLOSED' });
  await pool.close(1_000);
  await refused;
  expect(open.size).toBe(0);
});

test('loans that last too long are reported with their place in the code', async () => {
  const { pool } = stage({ leakThresholdMs: 10 });
  const lease = await pool.acquire(soon());
  expect(pool.leaks()).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(pool.leaks()).toMatchObject([{ stack: expect.stringContaining('pool.test.ts') }]);
  void pool.release(lease);
  expect(pool.leaks()).toEqual([]);
  await pool.close(100);
});
