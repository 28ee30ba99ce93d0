// 100,000 random operations in virtual time, each step held against a model that knows only what
// callers and the server can see.
import { type Deadline, deadlineAfter, type Driver, type DriverConnection } from '@dal/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ADMIT_ALL } from './admission.ts';
import type { Lease } from './lease.ts';
import { Pool } from './pool.ts';
import { readPoolOptions } from './pool-options.ts';
import { stillDialect } from '../test/still-dialect.ts';

const OPERATIONS = Number(process.env['DAL_POOL_OPERATIONS'] ?? 100_000);
const SEEDS = [1, 2, 3, 4, 5];
const MAX = 5;
const OVERFLOW = 2;
const MOST_WAITING = 6;

/** mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A server that is slow, refuses, cuts lines and freezes, as the dice say. */
class Server {
  readonly sessions = new Set<DriverConnection>();
  readonly lines = new Map<DriverConnection, (error: unknown) => void>();
  opening = 0;
  opened = 0;
  most = 0;
  readonly driver: Driver;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
    this.driver = {
      name: 'model',
      schemes: [],
      dialect: stillDialect,
      connect: (_options, lost) => this.#connect(lost),
      classify: () => ({ kind: 'unknown' }),
    };
  }

  cutOne(): void {
    const lines = [...this.lines];
    const [connection, lost] = lines[Math.floor(this.#random() * lines.length)] ?? [];
    if (!connection || !lost) return;
    this.#forget(connection);
    lost(new Error('cut'));
  }

  async #connect(lost: (error: unknown) => void): Promise<DriverConnection> {
    this.opening++;
    this.#count();
    await this.#pass(30);
    this.opening--;
    if (this.#random() < 0.1) throw new Error('refused');
    const connection: DriverConnection = {
      raw: undefined,
      query: () => Promise.resolve({ rows: [], columns: [], affectedRows: 0 }),
      ping: async () => {
        await this.#pass(5);
        if (this.#random() < 0.1) throw new Error('no sign of life');
        // Frozen: longer than the pool has patience for.
        if (this.#random() < 0.05) await this.#pass(20_000);
      },
      close: async () => {
        await this.#pass(this.#random() < 0.05 ? 20_000 : 5);
        this.#forget(connection);
      },
      destroy: () => this.#forget(connection),
      reset: () => this.#pass(5),
    };
    this.sessions.add(connection);
    this.lines.set(connection, lost);
    this.opened++;
    this.#count();
    return connection;
  }

  #forget(connection: DriverConnection): void {
    this.sessions.delete(connection);
    this.lines.delete(connection);
  }

  #count(): void {
    this.most = Math.max(this.most, this.sessions.size + this.opening);
  }

  #pass(mostMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#random() * mostMs));
  }
}

interface Caller {
  readonly number: number;
  readonly deadline: Deadline;
  readonly aborter: AbortController;
  settled: boolean;
}

/** Those who ask, wait, hold and give back; checks what they may expect. */
class Callers {
  readonly waiting: Caller[] = [];
  readonly held: Lease[] = [];
  readonly seen = { acquired: 0, failed: 0, released: 0, refused: 0 };
  readonly #lent = new Set<object>();
  readonly #pool: Pool;
  #last = -1;
  #asked = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  ask(timeoutMs: number): void {
    const aborter = new AbortController();
    const deadline = deadlineAfter(timeoutMs, aborter.signal);
    const caller = { number: this.#asked++, deadline, aborter, settled: false };
    this.waiting.push(caller);
    this.#pool.acquire(deadline).then(
      (lease) => this.#got(caller, lease),
      (error: unknown) => this.#failed(caller, error),
    );
  }

  giveBack(place: number, how: 'release' | 'discard' | 'dirty'): void {
    const [lease] = this.held.splice(place, 1);
    if (!lease) return;
    this.#lent.delete(lease.session);
    this.seen.released++;
    if (how === 'discard') this.#pool.discard(lease);
    else {
      if (how === 'dirty') lease.session.dirty = true;
      void this.#pool.release(lease);
    }
  }

  #got(caller: Caller, lease: Lease): void {
    this.#settle(caller);
    // First come, first served: nobody is served before somebody who asked earlier and still waits.
    expect(caller.number).toBeGreaterThan(this.#last);
    this.#last = caller.number;
    expect(this.#lent.has(lease.session)).toBe(false);
    this.#lent.add(lease.session);
    this.held.push(lease);
    this.seen.acquired++;
  }

  #failed(caller: Caller, error: unknown): void {
    this.#settle(caller);
    this.seen.failed++;
    if ((error as { code?: string }).code === 'DAL_POOL_QUEUE_FULL') this.seen.refused++;
  }

  #settle(caller: Caller): void {
    expect(caller.settled).toBe(false);
    caller.settled = true;
    this.waiting.splice(this.waiting.indexOf(caller), 1);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test.each(SEEDS)(
  'random operations against a model, seed %i',
  { timeout: 60_000 },
  async (seed) => {
    const random = randomOf(seed);
    const server = new Server(random);
    const settings = readPoolOptions({
      min: 1,
      max: MAX,
      overflow: OVERFLOW,
      maxWaiting: MOST_WAITING,
      idleTimeoutMs: 2_000,
      maxLifetimeMs: 5_000,
      healthCheckIntervalMs: 500,
      validate: { afterIdleMs: 100 },
      leakThresholdMs: 3_000,
    });
    const events: string[] = [];
    const pool = new Pool({
      name: 'model',
      driver: server.driver,
      options: {},
      settings,
      admission: ADMIT_ALL,
      onEvent: (name) => void events.push(name),
    });
    const callers = new Callers(pool);
    const pick = (length: number): number => Math.floor(random() * length);

    for (let turn = 0; turn < OPERATIONS / SEEDS.length; turn++) {
      const dice = random();
      if (dice < 0.3) callers.ask(random() < 0.1 ? 0 : random() * 200);
      else if (dice < 0.55) callers.giveBack(pick(callers.held.length), 'release');
      else if (dice < 0.58) callers.giveBack(pick(callers.held.length), 'dirty');
      else if (dice < 0.6) callers.giveBack(pick(callers.held.length), 'discard');
      else if (dice < 0.64) callers.waiting[pick(callers.waiting.length)]?.aborter.abort();
      else if (dice < 0.66) server.cutOne();
      else if (dice < 0.67) pool.setTarget(1 + pick(MAX));
      else if (dice < 0.68) await vi.advanceTimersByTimeAsync(random() * 3_000);
      else await vi.advanceTimersByTimeAsync(random() * 10);
      check(turn);
    }

    // Everybody who still waits is served or told why not, within the time.
    while (callers.held.length > 0) callers.giveBack(0, 'release');
    for (let turn = 0; turn < 50 && callers.waiting.length > 0; turn++) {
      await vi.advanceTimersByTimeAsync(10);
      while (callers.held.length > 0) callers.giveBack(0, 'release');
    }
    expect(callers.waiting).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    check(-1);
    expect(pool.stats()).toMatchObject({ lent: 0, waiting: 0 });
    expect(events.filter((name) => name === 'leak')).toHaveLength(pool.stats().leaked);
    expect(events.filter((name) => name === 'unleaked')).toHaveLength(pool.stats().leaked);
    expect(pool.stats().leaked).toBeGreaterThan(0);
    expect(callers.seen.refused).toBeGreaterThan(0);

    const closing = pool.close(1_000);
    await vi.advanceTimersByTimeAsync(30_000);
    await closing;
    expect(server.sessions.size).toBe(0);
    expect(pool.stats()).toMatchObject({ size: 0, destroyed: server.opened });
    expect(vi.getTimerCount()).toBe(0);

    function check(turn: number): void {
      const where = `seed ${seed}, turn ${turn}`;
      const stats = pool.stats();
      const { seen } = callers;
      expect(server.most, where).toBeLessThanOrEqual(MAX + OVERFLOW);
      expect(stats.size + stats.connecting, where).toBeLessThanOrEqual(MAX + OVERFLOW);
      // Callers hear of it in the next microtask at the latest; after an await both sides agree.
      expect(stats.acquired, where).toBeGreaterThanOrEqual(seen.acquired);
      expect(stats.acquired - stats.released, where).toBe(stats.lent);
      expect(stats.created - stats.destroyed, where).toBe(stats.size);
      expect(stats.created, where).toBe(server.opened);
      expect(stats.wait.count, where).toBe(stats.acquired);
      expect(stats.use.count, where).toBe(stats.released);
      expect(stats.create.count, where).toBe(stats.created);
      const late = callers.waiting.filter(({ deadline }) => deadline.at + 20 < performance.now());
      expect(late, where).toEqual([]);
    }
  },
);
