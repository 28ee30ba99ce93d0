import type {
  AttemptMessage,
  LeaseReport,
  ObservedDatabase,
  ObservedPool,
  PoolStats,
} from '@dal/core';
import { expect, test } from 'vitest';
import { DigestCounts } from './digest-table.ts';
import { factsOf } from './facts.ts';
import { PoolWatch } from './pool-watch.ts';

const SLOT_MS = 5_000;

/** A pool whose numbers are set by hand, and the watch over it. */
class Scene {
  readonly stats = {
    max: 10,
    acquired: 0,
    acquireSaturated: 0,
    use: { count: 0, sumMs: 0 },
    wait: { boundsMs: [1, 5, 10, 50], counts: [0, 0, 0, 0, 0] },
  };
  holders: Partial<LeaseReport>[] = [];
  now = 0;
  readonly watch: PoolWatch;

  constructor() {
    const view = {
      settings: { overflow: 0 },
      stats: () => structuredClone(this.stats) as unknown as PoolStats,
      leaks: () => [],
      holders: () => this.holders,
    };
    this.watch = new PoolWatch({ name: 'scene', view } as unknown as ObservedPool, SLOT_MS, 0);
  }

  slots(count: number, happens: () => void = () => undefined): void {
    for (let left = count; left > 0; left--) {
      happens();
      this.now += SLOT_MS;
      this.watch.look(this.now, { activeMs: 1_000, idleMs: 4_000 }, () => slow);
    }
  }

  /** A statement that has just ended. */
  ran(counts: DigestCounts, durationMs: number): void {
    this.watch.onAttemptEnd(attempt(0, durationMs), counts);
  }

  get facts() {
    return factsOf(this.watch, { headroom: undefined, instances: 1, isBroken: false });
  }
}

function attempt(startedAt: number, durationMs?: number): AttemptMessage {
  const database = {} as ObservedDatabase;
  const told = { database, statement: '', parent: undefined, startedAt };
  return durationMs === undefined ? told : { ...told, durationMs };
}

const slow = new DigestCounts({ id: 'slow', text: 'SELECT slow' }, 'one');
const other = new DigestCounts({ id: 'other', text: 'SELECT other' }, 'one');

test('loans and statements that go on count up to now, and once', () => {
  const scene = new Scene();
  const running = attempt(0);
  scene.watch.onAttemptStart(running);
  let heldMs = 0;
  scene.slots(4, () => {
    heldMs += SLOT_MS;
    // Two connections, one of which works.
    scene.holders = [{ heldMs }, { heldMs }];
  });
  expect(scene.facts).toMatchObject({ utilisation: 0.2, busyShare: 0.5, eventLoop: 0.2 });
  // It is known before it ends.
  expect(scene.facts.busiest).toMatchObject({ id: 'slow', share: 1 });
  expect(scene.facts.attemptP95Ms).toBeUndefined();
  // They end.
  scene.holders = [];
  scene.stats.use = { count: 2, sumMs: 2 * heldMs };
  running.durationMs = heldMs;
  scene.watch.onAttemptEnd(running, slow);
  scene.slots(4);
  expect(scene.facts).toMatchObject({ utilisation: 0.1, busyShare: 0.5, useMeanMs: heldMs });
});

test('what is older than five minutes is forgotten, but for the baseline and for few callers', () => {
  const scene = new Scene();
  scene.slots(100, () => {
    scene.stats.acquired += 1;
    for (let times = 0; times < 10; times++) scene.ran(other, 10);
  });
  // Few callers: all of them are told.
  expect(scene.facts).toMatchObject({ acquired: 100, windowMs: 100 * SLOT_MS });
  scene.slots(60, () => {
    scene.stats.acquired += 10;
    scene.stats.acquireSaturated += 1;
    scene.ran(slow, 100);
  });
  const { acquired, failed, failedLately, windowMs, busiest, ...facts } = scene.facts;
  expect({ acquired, failed, failedLately, windowMs }).toEqual({
    acquired: 600,
    failed: 60,
    failedLately: 12,
    windowMs: 300_000,
  });
  expect(busiest).toEqual({ id: 'slow', text: 'SELECT slow', share: 1 });
  expect(facts.baselineP95Ms).toBeCloseTo(10, 0);
  expect(facts.attemptP95Ms).toBeGreaterThan(90);
  // 715 more are an hour: then nothing is left of it.
  scene.slots(730);
  expect(scene.facts).toMatchObject({ acquired: 0, failed: 0, baselineP95Ms: undefined });
});

test('a program that slept for an hour begins anew', () => {
  const scene = new Scene();
  scene.slots(60, () => {
    scene.stats.acquired += 10;
    scene.stats.acquireSaturated += 5;
  });
  expect(scene.facts.failed).toBe(300);
  scene.now += 3_600_000;
  scene.slots(1);
  expect(scene.facts).toMatchObject({ failed: 0, acquired: 0 });
});

test('waits are read from the buckets of the pool', () => {
  const scene = new Scene();
  expect(scene.facts.waitP95Ms).toBeUndefined();
  scene.slots(1, () => (scene.stats.wait.counts = [90, 0, 10, 0, 0]));
  expect(scene.facts.waitP95Ms).toBe(7.5);
  scene.slots(1, () => (scene.stats.wait.counts = [90, 0, 10, 0, 100]));
  expect(scene.facts.waitP95Ms).toBe(50);
});

test('what is required follows from callers and loans', () => {
  const scene = new Scene();
  expect(scene.facts.required).toBeUndefined();
  // 2 callers a second, each for 4.5 s: 9 at a time, and 6 for the swings, and one.
  scene.slots(12, () => {
    scene.stats.acquired += 9;
    scene.stats.acquireSaturated += 1;
    scene.stats.use.count += 9;
    scene.stats.use.sumMs += 9 * 4_500;
  });
  expect(scene.facts.required).toBe(16);
});

test('a failed connection counts for a minute, or until one succeeds', () => {
  const scene = new Scene();
  const { pool } = scene.watch;
  const fail = (kind: string, startedAt = scene.now) =>
    scene.watch.onConnect({ pool, startedAt, error: new Error('no'), fault: { kind } });
  fail('connection');
  scene.slots(1);
  expect(scene.facts.unreachable).toBe('connecting fails (connection)');
  scene.watch.onConnect({ pool, startedAt: scene.now });
  expect(scene.facts.unreachable).toBeUndefined();
  // Overtaken, and given up for that.
  fail('connection', scene.now - 1);
  expect(scene.facts.unreachable).toBeUndefined();
  scene.slots(1);
  fail('authentication');
  scene.slots(13);
  expect(scene.facts.unreachable).toBeUndefined();
  fail('overloaded');
  scene.watch.isAway = true;
  scene.slots(1);
  expect(scene.facts).toMatchObject({ unreachable: undefined, isFull: true });
  scene.slots(12);
  expect(scene.facts).toMatchObject({ unreachable: expect.any(String), isFull: false });
});
