import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { soon, stage } from '../test/pool-stage.ts';

test('warm opens as many as min asks for, and they are kept', async () => {
  const { pool, log, ends } = stage({ min: 3, max: 5, idleTimeoutMs: 20 });
  expect(log.opened).toBe(0);
  await pool.warm(soon());
  expect(pool.stats()).toMatchObject({ idle: 3, created: 3 });
  await sleep(60);
  expect(pool.stats()).toMatchObject({ idle: 3, created: 3 });
  // What is lost is made good without anybody asking.
  ends[0]?.(new Error('cut'));
  await expect.poll(() => pool.stats()).toMatchObject({ idle: 3, created: 4 });
  await pool.close(100);
});

test('nothing is opened ahead of the first need, then up to min', async () => {
  const { pool, log } = stage({ min: 2, healthCheckIntervalMs: 40 });
  await sleep(30);
  expect(log.opened).toBe(0);
  void pool.release(await pool.acquire(soon()));
  await expect.poll(() => pool.stats().idle).toBe(2);
  await pool.close(100);
});

test('warm says why a session could not be opened', async () => {
  const { pool, log } = stage({ min: 2 });
  log.failures = 1;
  await expect(pool.warm(soon())).rejects.toThrow('refused');
  await pool.close(100);
});

test('warm ends in time when the server lets nobody in', async () => {
  const { pool } = stage({ min: 2 }, { openMs: 500 });
  await expect(pool.warm(soon(30))).rejects.toMatchObject({ code: 'DAL_CONNECT_TIMEOUT' });
  await pool.close(1_000);
});

test('an idle session is replaced when its time is over', async () => {
  const { pool, log } = stage({ min: 1, maxLifetimeMs: 60 });
  await pool.warm(soon());
  await expect.poll(() => pool.stats().recycled, { timeout: 2_000 }).toBeGreaterThan(0);
  await expect.poll(() => pool.stats().idle).toBe(1);
  expect(log.opened).toBeGreaterThan(1);
  await pool.close(100);
});

test('a session whose time is over is not handed on to who waits', async () => {
  const { pool, log } = stage({ max: 1, maxLifetimeMs: 30 });
  const lease = await pool.acquire(soon());
  const waiting = pool.acquire(soon());
  await sleep(40);
  void pool.release(lease);
  const next = await waiting;
  expect(next.session).not.toBe(lease.session);
  expect(log).toMatchObject({ opened: 2, closed: 1 });
  expect(pool.stats()).toMatchObject({ recycled: 1 });
  void pool.release(next);
  await pool.close(100);
});

test('a dead idle session is found and replaced before anybody gets it', async () => {
  const { pool, log, open } = stage({ min: 2, healthCheckIntervalMs: 40, validate: 'never' });
  await pool.warm(soon());
  const first = [...open];
  log.ping = 'fails';
  await expect.poll(() => pool.stats().validationErrors).toBeGreaterThanOrEqual(2);
  log.ping = 'answers';
  await expect.poll(() => pool.stats().idle).toBe(2);
  expect([...open].some((connection) => first.includes(connection))).toBe(false);
  expect(log.most).toBeLessThanOrEqual(10);
  await pool.close(100);
});

test('the health check asks only those that were silent, few at a time, and not for ever', async () => {
  const { pool, log } = stage({ min: 6, healthCheckIntervalMs: 40, idleTimeoutMs: 10_000 });
  await pool.warm(soon());
  log.ping = 'freezes';
  await expect.poll(() => log.pings).toBe(2);
  await sleep(40);
  expect(log.pings).toBe(2);
  // Those that are asked can't be lent, and nobody has to wait for them.
  const leases = await Promise.all(Array.from({ length: 8 }, () => pool.acquire(soon(100))));
  for (const lease of leases) void pool.release(lease);
  await pool.close(100);
});

test('a check for health does not make an idle session young', async () => {
  const { pool, log } = stage({ max: 2, healthCheckIntervalMs: 40, idleTimeoutMs: 100 });
  void pool.release(await pool.acquire(soon()));
  await expect.poll(() => pool.stats().idle, { timeout: 1_000 }).toBe(0);
  expect(log.pings).toBeGreaterThan(0);
  await pool.close(100);
});

test.each([
  ['always', 1],
  ['never', 0],
])('validate %s', async (validate, pings) => {
  const { pool, log } = stage({ validate });
  void pool.release(await pool.acquire(soon()));
  await sleep(5);
  void pool.release(await pool.acquire(soon()));
  expect(log.pings).toBe(pings);
  await pool.close(100);
});

test('overflow helps in a rush and is closed when nobody waits', async () => {
  const { pool, log } = stage({ max: 2, overflow: 2 });
  const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire(soon())));
  const fifth = pool.acquire(soon());
  expect(pool.stats()).toMatchObject({ lent: 4, waiting: 1 });
  void pool.release(leases[0]!);
  // Handed on, not closed, because somebody waits.
  leases[0] = await fifth;
  expect(log.closed).toBe(0);
  for (const lease of leases) void pool.release(lease);
  await expect.poll(() => pool.stats()).toMatchObject({ size: 2, idle: 2, destroyed: 2 });
  expect(log.most).toBe(4);
  await pool.close(100);
});

test('a smaller target ends what rests now and what is lent later; a larger one serves who waits', async () => {
  const { pool, open } = stage({ min: 1, max: 4 });
  const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire(soon())));
  void pool.release(leases.pop()!);
  expect(pool.setTarget(2)).toBe(2);
  await expect.poll(() => open.size).toBe(3);
  const waiting = pool.acquire(soon());
  void pool.release(leases.pop()!);
  await expect.poll(() => open.size).toBe(2);
  expect(pool.stats()).toMatchObject({ lent: 2, waiting: 1, target: 2 });
  expect(pool.setTarget(99)).toBe(4);
  leases.push(await waiting);
  expect(pool.setTarget(0)).toBe(1);
  for (const lease of leases) void pool.release(lease);
  await expect.poll(() => open.size).toBe(1);
  await pool.close(100);
});
