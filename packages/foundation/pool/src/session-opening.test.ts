import { ConnectionError, type Driver, type DriverConnection, onAbort } from '@dal/core';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { soon } from '../test/pool-stage.ts';
import { Pool } from './pool.ts';
import { readPoolOptions } from './pool-options.ts';

// One clock for all: who watches deadlines keeps a timer between tests.
beforeAll(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  });
});
afterAll(() => vi.useRealTimers());
afterEach(async () => {
  const closing = opened.splice(0).map((pool) => pool.close(0));
  await Promise.all([...closing, time(20_000)]);
});

const CONNECT_TIMEOUT_MS = 10_000;
const opened: Pool[] = [];
let lines = 0;

const time = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** The way to a server. What is asked while it takes forever is lost: it is never answered later. */
class Line {
  readonly name = `line${++lines}`;
  /** How long an attempt takes that begins now; `Infinity`: until its timeout. */
  connectMs = 5;
  /** Attempts can be given up. */
  obeys = true;
  /** When somebody tried to connect. */
  readonly knocks: number[] = [];
  readonly open: Set<DriverConnection> = new Set();
  connecting = 0;
  /** The most sessions at one moment, those on their way included. */
  most = 0;

  pool(options: Readonly<Record<string, unknown>> = {}): Pool {
    const driver: Driver = {
      name: 'line',
      schemes: [],
      dialect: { name: 'line', ping: 'PING', lexis: {} } as never,
      servers: () => ({ servers: [{ name: this.name, options: {} }] }),
      connect: (_, lost, signal) => this.#connect(lost, this.obeys ? signal : undefined),
      classify: () => ({ kind: 'unknown' }),
    };
    const settings = readPoolOptions({ acquireStacks: 'never', ...options });
    const pool = new Pool({ name: 'test', driver, options: {}, settings });
    opened.push(pool);
    return pool;
  }

  /** The most attempts that began in one second. */
  get busiestSecond(): number {
    const within = (at: number): number =>
      this.knocks.filter((other) => other >= at && other < at + 1_000).length;
    return Math.max(...this.knocks.map(within));
  }

  /** All sessions end by themselves. */
  cut(): void {
    for (const connection of this.open) connection.destroy?.();
  }

  async #connect(
    lost: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ): Promise<DriverConnection> {
    this.knocks.push(performance.now());
    this.connecting++;
    this.most = Math.max(this.most, this.open.size + this.connecting);
    const answered = Promise.withResolvers<void>();
    const { connectMs } = this;
    const isLost = connectMs > CONNECT_TIMEOUT_MS;
    const timer = isLost
      ? setTimeout(() => answered.reject(timedOut()), CONNECT_TIMEOUT_MS)
      : setTimeout(() => answered.resolve(), connectMs);
    const stopListening = onAbort(signal, () => answered.reject(signal?.reason));
    try {
      await answered.promise;
    } finally {
      clearTimeout(timer);
      stopListening();
      this.connecting--;
    }
    const connection: DriverConnection = {
      raw: undefined,
      query: () => Promise.resolve({ rows: [], columns: [], affectedRows: 0 }),
      ping: () => (this.connectMs === Infinity ? new Promise(() => undefined) : Promise.resolve()),
      close: () => Promise.resolve(void this.open.delete(connection)),
      destroy: () => {
        if (this.open.delete(connection)) lost(timedOut());
      },
    };
    this.open.add(connection);
    return connection;
  }
}

function timedOut(): Error {
  return new ConnectionError('timed out', {
    fault: { kind: 'connection', connectionLost: true, applied: 'no' },
  });
}

/** Used once, so that the pool knows what is usual. */
async function usedPool(line: Line, options?: Readonly<Record<string, unknown>>): Promise<Pool> {
  const pool = line.pool(options);
  const asked = pool.acquire(soon());
  await time(line.connectMs);
  void pool.release(await asked);
  return pool;
}

/** Many callers that use a session for a moment; answers when the first and the last were served. */
function ask(pools: readonly Pool[]): { readonly servedAt: number[]; refused: number } {
  const seen = { servedAt: [] as number[], refused: 0 };
  for (const pool of pools) {
    for (let caller = 0; caller < 20; caller++) {
      pool.acquire(soon(30_000)).then(
        (lease) => {
          seen.servedAt.push(performance.now());
          setTimeout(() => void pool.release(lease), 2);
        },
        () => seen.refused++,
      );
    }
  }
  return seen;
}

test.each([
  { max: 2, holeMs: 3_000 },
  { max: 5, holeMs: 3_000 },
  { max: 5, holeMs: 3_333 },
  { max: 3, holeMs: 25_678 },
  { max: 10, holeMs: 12_000 },
])(
  'a hole of $holeMs ms: $max sessions at most, and served within a second of the return',
  async ({ max, holeMs }) => {
    const line = new Line();
    const pool = await usedPool(line, { max });
    line.connectMs = Infinity;
    line.cut();
    line.knocks.length = 0;
    const { servedAt } = ask([pool]);
    await time(holeMs);
    expect(servedAt).toEqual([]);
    // All at once first, while nothing is known; then one after the other.
    const later = line.knocks.filter((at) => at > (line.knocks[0] as number) + 100);
    expect(later.length).toBeGreaterThan(holeMs / 1_000);
    expect(later.length).toBeLessThanOrEqual((holeMs / 1_000) * 10);
    expect(line.busiestSecond).toBeLessThanOrEqual(10 + max);

    line.connectMs = 5;
    const back = performance.now();
    await time(1_000);
    expect((servedAt[0] as number) - back).toBeLessThan(800);
    expect(servedAt).toHaveLength(20);
    expect(line.most).toBeLessThanOrEqual(max);
    // What waits for lost answers takes nobody's place any more.
    expect(pool.stats()).toMatchObject({ connecting: 0, waiting: 0 });
    expect(line.connecting).toBe(0);
  },
);

test('sessions that rested are no longer waited for than attempts', async () => {
  const line = new Line();
  const pool = await usedPool(line, { max: 3 });
  const held = Promise.all([pool.acquire(soon()), pool.acquire(soon()), pool.acquire(soon())]);
  await time(50);
  for (const lease of await held) void pool.release(lease);
  await time(3_000);
  line.connectMs = Infinity;
  const { servedAt } = ask([pool]);
  await time(200);
  line.connectMs = 5;
  const back = performance.now();
  await time(1_000);
  expect((servedAt[0] as number) - back).toBeLessThan(800);
  expect(servedAt).toHaveLength(20);
  expect(line.most).toBe(3);
});

test('where there is place for one attempt only, each has more time than the one before', async () => {
  const line = new Line();
  const pool = await usedPool(line, { max: 1 });
  line.connectMs = Infinity;
  line.cut();
  line.knocks.length = 0;
  const { servedAt } = ask([pool]);
  await time(4_000);
  const pauses = line.knocks.slice(1).map((at, place) => at - (line.knocks[place] as number));
  expect(pauses.map((pause) => Math.round(pause / 1_000))).toEqual([1, 1, 2]);
  expect(line.most).toBe(1);
  line.connectMs = 5;
  const back = performance.now();
  await time(6_000);
  // The first one no later than the hole lasted, with the pauses; the others one after the other.
  expect((servedAt[0] as number) - back).toBeLessThan(4_500);
  expect(servedAt).toHaveLength(20);
});

test.each([1, 2, 5])(
  'a login that takes 4 s all of a sudden succeeds, with %i at most',
  async (max) => {
    const line = new Line();
    const pool = await usedPool(line, { max });
    line.connectMs = 4_000;
    line.cut();
    const began = performance.now();
    const { servedAt } = ask([pool]);
    await time(20_000);
    expect(servedAt).toHaveLength(20);
    // With place for one it is found out how long a login takes; otherwise the first one is let be.
    if (max > 1) expect((servedAt[0] as number) - began).toBeLessThan(5_000);
    expect(line.most).toBeLessThanOrEqual(max);
  },
);

test('a server that is far away is not taken for silent', async () => {
  const line = new Line();
  line.connectMs = 900;
  const pool = await usedPool(line, { max: 10 });
  const began = performance.now();
  const { servedAt } = ask([pool, pool]);
  await time(1_500);
  expect((servedAt.at(-1) as number) - began).toBeLessThan(950);
  expect(pool.stats().connectErrors).toBe(0);
});

test('pools that lead to the same server take turns, and all are served', async () => {
  const line = new Line();
  const pools: Pool[] = [];
  for (let count = 0; count < 4; count++) pools.push(await usedPool(line, { max: 2 }));
  line.connectMs = Infinity;
  line.cut();
  line.knocks.length = 0;
  const seen = ask(pools);
  await time(5_000);
  const later = line.knocks.filter((at) => at > (line.knocks[0] as number) + 100);
  expect(later.length).toBeGreaterThan(4);
  expect(later.length).toBeLessThanOrEqual(50);
  line.connectMs = 5;
  const back = performance.now();
  await time(1_500);
  expect((seen.servedAt[0] as number) - back).toBeLessThan(800);
  expect(seen).toMatchObject({ refused: 0, servedAt: { length: 80 } });
  expect(line.most).toBeLessThanOrEqual(4 * 2);
});

test('a driver that takes no signal is waited for: never more than there may be', async () => {
  const line = new Line();
  line.obeys = false;
  const pool = await usedPool(line, { max: 2 });
  line.connectMs = Infinity;
  line.cut();
  const { servedAt } = ask([pool]);
  await time(3_000);
  line.connectMs = 5;
  await time(CONNECT_TIMEOUT_MS);
  expect(servedAt).toHaveLength(20);
  expect(line.most).toBe(2);
});

test('failFast tells that nothing is heard', async () => {
  const line = new Line();
  const pool = await usedPool(line, { max: 2, failFast: true });
  line.connectMs = Infinity;
  line.cut();
  const asked = pool.acquire(soon(9_000));
  const refused = expect(asked).rejects.toMatchObject({ name: 'ConnectionError' });
  await time(600);
  await refused;
});

test('who gives up during the silence is told of it; the end leaves nothing', async () => {
  const line = new Line();
  const pool = await usedPool(line, { max: 2 });
  line.connectMs = Infinity;
  line.cut();
  const refused = expect(pool.acquire(soon(2_000))).rejects.toMatchObject({
    code: 'DAL_CONNECT_TIMEOUT',
    cause: { message: expect.stringContaining('has not let us in for 500 ms') },
  });
  await time(2_100);
  await refused;
  expect(line.connecting).toBeGreaterThan(0);
  const closed = pool.close(1_000);
  await time(10);
  await closed;
  expect(line.connecting).toBe(0);
});
