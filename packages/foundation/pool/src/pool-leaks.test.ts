import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { soon, stage } from '../test/pool-stage.ts';
import { giveTurn, takeTurn } from './turns.ts';

test('a leak is told once, with its place in the code, and again when it comes back', async () => {
  const { pool, log } = stage({ leakThresholdMs: 40 });
  const lease = await pool.acquire(soon());
  lease.lastStatement = 'SELECT forgotten';
  lease.tags = { route: 'checkout' };
  await expect.poll(() => log.events.length).toBe(1);
  await sleep(60);
  expect(log.events).toMatchObject([
    [
      'leak',
      {
        lastStatement: 'SELECT forgotten',
        tags: { route: 'checkout' },
        stack: expect.stringMatching(/pool-leaks\.test\.ts:\d+/),
      },
    ],
  ]);
  expect(log.events[0]?.[1].heldMs).toBeGreaterThanOrEqual(40);
  expect(pool.leaks()).toHaveLength(1);
  void pool.release(lease);
  expect(log.events.map(([name]) => name)).toEqual(['leak', 'unleaked']);
  expect(log.events[1]?.[1].heldMs).toBeGreaterThanOrEqual(100);
  expect(pool.stats()).toMatchObject({ leaked: 1 });
  await pool.close(100);
});

test('who is at work, or gives back in time, is no leak', async () => {
  const { pool, log } = stage({ leakThresholdMs: 60 });
  const lease = await pool.acquire(soon());
  for (let turn = 0; turn < 8; turn++) {
    await sleep(15);
    lease.lastUsedAt = performance.now();
  }
  void pool.release(lease);
  void pool.release(await pool.acquire(soon()));
  await sleep(100);
  expect(log.events).toEqual([]);
  await pool.close(100);
});

test('a loan on which a statement runs is in use, however long that takes', async () => {
  const { pool, log } = stage({ leakThresholdMs: 20, max: 1 });
  const lease = await pool.acquire(soon());
  lease.lastStatement = 'CREATE INDEX';
  void takeTurn(lease.session);
  await sleep(100);
  expect(log.events).toEqual([]);
  expect(pool.leaks()).toEqual([]);
  expect(pool.holders()).toMatchObject([{ running: true, lastStatement: 'CREATE INDEX' }]);
  const late = await pool.acquire(soon(20)).catch((error: Error) => error.message);
  expect(late).toMatch(/held for \d+ ms.*, runs since \d+ ms: CREATE INDEX/);

  // It has ended, and now the connection is forgotten.
  lease.lastUsedAt = performance.now();
  giveTurn(lease.session);
  await expect.poll(() => log.events.length).toBe(1);
  expect(pool.leaks()).toMatchObject([{ running: false }]);
  // A stream whose loop is in its body for so long is forgotten too.
  void takeTurn(lease.session);
  expect(pool.leaks()).toEqual([]);
  lease.session.away = true;
  expect(pool.leaks()).toHaveLength(1);
  await pool.close(0);
});

test('a loan that is lost to close comes back too', async () => {
  const { pool, log } = stage({ leakThresholdMs: 20 });
  await pool.acquire(soon());
  await expect.poll(() => log.events.length).toBe(1);
  const report = await pool.close(50);
  expect(report.heldOn).toMatchObject([{ stack: expect.stringContaining('pool-leaks.test.ts') }]);
  expect(log.events.map(([name]) => name)).toEqual(['leak', 'unleaked']);
});

test('samples are taken by time, so that a quiet program remembers every loan', async () => {
  const { pool } = stage({ acquireStacks: 'sampled', max: 60 });
  for (let turn = 0; turn < 5; turn++) {
    const lease = await pool.acquire(soon());
    expect(lease.origin).toBeInstanceOf(Error);
    void pool.release(lease);
    await sleep(3);
  }
  let taken = 0;
  const began = performance.now();
  for (let turn = 0; turn < 1_000; turn++) {
    const lease = await pool.acquire(soon());
    if (lease.origin) taken++;
    void pool.release(lease);
  }
  expect(taken).toBeLessThanOrEqual(performance.now() - began + 1);
  await pool.close(100);
});

test('the error of a wait in vain lists everybody who holds a connection, longest first', async () => {
  const { pool } = stage({ max: 12 });
  const leases = [];
  for (let turn = 0; turn < 12; turn++) {
    const lease = await pool.acquire(soon());
    lease.lastStatement = `SELECT ${turn}`;
    lease.tags = { turn };
    leases.push(lease);
    await sleep(2);
  }
  const error: unknown = await pool.acquire(soon(20)).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    name: 'AcquireTimeoutError',
    code: 'DAL_POOL_TIMEOUT',
    waiting: 0,
    connecting: 0,
    holders: Array.from({ length: 10 }, (_, turn) => ({
      lastStatement: `SELECT ${turn}`,
      tags: { turn },
      stack: expect.stringContaining('pool-leaks.test.ts'),
    })),
  });
  const { message, eventLoopDelayMs } = error as Error & { eventLoopDelayMs: number };
  expect(message).toMatch(/12 of 12 lent/);
  expect(message.match(/held for \d+ ms by .*pool-leaks\.test\.ts:\d+/g)).toHaveLength(10);
  expect(message).toContain('and 2 more');
  expect(message).toContain('[turn=0]');
  expect(message).not.toContain('event loop');
  expect(eventLoopDelayMs).toBeLessThan(50);
  for (const lease of leases) void pool.release(lease);
  await pool.close(100);
});

test('it says so when the program itself was too busy', async () => {
  const { pool } = stage({ max: 1 });
  const lease = await pool.acquire(soon());
  const waiting = expect(pool.acquire(soon(20))).rejects.toThrow(/event loop was blocked/);
  const until = performance.now() + 200;
  while (performance.now() < until);
  await waiting;
  void pool.release(lease);
  await pool.close(100);
});

test('a server that refuses is told apart from holders that hold on', async () => {
  const { pool, log } = stage({ max: 2 }, { openMs: 25 });
  const lease = await pool.acquire(soon());
  log.failures = 1_000;
  const failed = await pool.acquire(soon(300)).catch((reason: unknown) => reason);
  expect(String(failed)).toMatch(/refused/);
  expect(failed).not.toMatchObject({ name: 'AcquireTimeoutError' });
  void pool.release(lease);
  await pool.close(100);
});
