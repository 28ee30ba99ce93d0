// A real pool, with callers who are really refused; its time is the test's.
import { performance } from 'node:perf_hooks';
import { openDatabase } from '@dal/database';
import { enableScaling } from '@dal/scaling';
import { fakeDriver } from '@dal/testing/fake';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { call, hearScaling } from './scaling-stage.ts';

beforeEach(() => {
  // Minutes pass in no time here, and the event loop knows nothing of that.
  vi.spyOn(performance, 'eventLoopUtilization').mockReturnValue({
    active: 500,
    idle: 4_500,
    utilization: 0.1,
  });
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const SLOT_MS = 5_000;

function pool(name: string) {
  return openDatabase(fakeDriver(), {
    name,
    pool: { max: 4, maxWaiting: 0, idleTimeoutMs: '1h', maxLifetimeMs: '10h' },
  });
}

describe('forced shares of callers without a connection', () => {
  test.each([
    { percent: 0.05, level: 'normal', action: 'none' },
    { percent: 0.5, level: 'mild', action: 'review_slow_queries' },
    { percent: 3, level: 'high', action: 'scale_vertically' },
    { percent: 8, level: 'critical', action: 'scale_horizontally' },
  ])('$percent % is $level', async ({ percent, level, action }) => {
    using _ = enableScaling({ slowQueries: false });
    await using db = pool(`forced ${percent}`);
    const events = hearScaling();
    for (let slot = 0; slot < 4; slot++) {
      await call(db, 2_000, percent * 20);
      await vi.advanceTimersByTimeAsync(SLOT_MS);
    }
    const advice = db.scaling();
    expect(advice).toMatchObject({ level, confidence: 'high', limit: 4 });
    expect(advice).toMatchObject({ acquired: 8_000 - percent * 80, failed: percent * 80 });
    expect(advice.ratio).toBeCloseTo(percent / 100, 10);
    expect(advice).toMatchObject({ action });
    expect(events.map((event) => [event.before.level, event.level, event.action])).toEqual(
      level === 'normal' ? [] : [['normal', level, action]],
    );
    expect(events.every(({ pool: of }) => of === db.observed.pool)).toBe(true);
  });
});

test('told on change only; what is over is forgotten step by step, and the sentence says what is', async () => {
  using _ = enableScaling({ slowQueries: false });
  await using db = pool('orders');
  const events = hearScaling();
  await call(db, 400, 40);
  await vi.advanceTimersByTimeAsync(SLOT_MS);
  expect(db.scaling().sentence).toBe(
    '"orders" is under critical pressure: 40 of 400 callers (10 %) found no connection in 5 s. The pool is far too short of connections, and no single cause stands out. Add app servers, and read replicas or shards where the database is the limit.',
  );
  expect(db.scaling().evidence[0]).toBe('40 of 400 callers (10 %) found no connection in 5 s');
  for (let slot = 0; slot < 110; slot++) {
    await call(db, 400, 0);
    await vi.advanceTimersByTimeAsync(SLOT_MS);
  }
  expect(db.scaling()).toMatchObject({ level: 'normal', action: 'none', confidence: 'high' });
  expect(events.map(({ level }) => level)).toEqual(['critical', 'high', 'mild', 'normal']);
});

test('few callers are looked for in the last hour', async () => {
  using _ = enableScaling({ slowQueries: false });
  await using db = pool('quiet');
  for (let minute = 0; minute < 30; minute++) {
    await call(db, 12, minute % 3 === 0 ? 1 : 0);
    await vi.advanceTimersByTimeAsync(60_000);
  }
  const advice = db.scaling();
  expect(advice).toMatchObject({ acquired: 350, failed: 10, level: 'high', confidence: 'high' });
  expect(advice.windowMs).toBe(30 * 60_000);
  // An hour later nothing is known any more.
  await vi.advanceTimersByTimeAsync(61 * 60_000);
  expect(db.scaling()).toMatchObject({
    acquired: 0,
    failed: 0,
    confidence: 'low',
    level: 'normal',
  });
});

test('who gives up, and who waits for a server that lets nobody in, is not counted', async () => {
  using _ = enableScaling({ slowQueries: false });
  const driver = fakeDriver().on('connect', { never: true });
  await using db = openDatabase(driver, { name: 'dark', pool: { max: 2, maxWaiting: 1 } });
  const waiting = Array.from({ length: 6 }, () =>
    db.acquire({ timeoutMs: 1_000 }).catch((error: { code: string }) => error.code),
  );
  await vi.advanceTimersByTimeAsync(2 * SLOT_MS);
  expect(new Set(await Promise.all(waiting))).toEqual(
    new Set(['DAL_CONNECT_TIMEOUT', 'DAL_POOL_QUEUE_FULL']),
  );
  await using other = pool('patient');
  const held = await Promise.all(Array.from({ length: 4 }, () => other.acquire()));
  const signal = AbortSignal.abort();
  await expect(other.acquire({ signal })).rejects.toThrow('aborted');
  await expect(other.acquire()).rejects.toMatchObject({ code: 'DAL_POOL_QUEUE_FULL' });
  await using third = openDatabase(fakeDriver(), { name: 'late', pool: { max: 1 } });
  const kept = await third.acquire();
  const late = third.acquire({ timeoutMs: 100 }).catch((error: { code: string }) => error.code);
  await vi.advanceTimersByTimeAsync(SLOT_MS);
  expect(await late).toBe('DAL_POOL_TIMEOUT');
  for (const connection of [...held, kept]) await connection.release();
  expect(db.scaling()).toMatchObject({ acquired: 0, failed: 0 });
  expect(other.scaling()).toMatchObject({ acquired: 4, failed: 1 });
  expect(third.scaling()).toMatchObject({ acquired: 1, failed: 1 });
});

test('numbers of time: how much is lent, worked on, needed', async () => {
  using _ = enableScaling({ slowQueries: false });
  const driver = fakeDriver().on('WORK', { delayMs: 1_000 });
  await using db = openDatabase(driver, { name: 'numbers', pool: { max: 10 } });
  const lend = async (): Promise<void> => {
    const connection = await db.acquire();
    await connection.query('WORK');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await connection.release();
  };
  for (let second = 0; second < 60; second++) {
    void lend();
    await vi.advanceTimersByTimeAsync(1_000);
  }
  const advice = db.scaling();
  // One caller a second, each for 4 s: 4 of 10 connections. The first four seconds had fewer.
  expect(advice.utilisation).toBeCloseTo(0.39, 2);
  expect(advice.busyShare).toBeCloseTo(0.25, 1);
  expect(advice.useMeanMs).toBeCloseTo(4_000, 5);
  expect(advice.required).toBe(4 + 4 + 1);
  expect(advice.waitP95Ms).toBeLessThanOrEqual(1);
  expect(advice.windowMs).toBe(60_000);
  await vi.advanceTimersByTimeAsync(5_000);
});

test('without a watch it says what is missing; with one it says what it knows', async () => {
  await using db = pool('new');
  await db.connect();
  const timers = vi.getTimerCount();
  expect(() => db.scaling()).toThrow('db.scaling() needs the package @dal/scaling');
  using scaling = enableScaling();
  expect(db.scaling()).toMatchObject({
    level: 'normal',
    action: 'none',
    confidence: 'low',
    limit: 4,
  });
  expect(db.scaling()).toEqual(scaling.advise(db.observed.pool));
  await db.query('SELECT 1 AS one');
  await vi.advanceTimersByTimeAsync(SLOT_MS);
  expect(db.scaling().sentence).toBe(
    '"new" is under no pressure: 0 of 1 caller (0 %) found no connection in 5 s, too few to judge the load by.',
  );
  scaling.disable();
  expect(() => db.scaling()).toThrow('call enableScaling() once');
  expect(vi.getTimerCount()).toBe(timers);
});
