import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { type Server, type ServerKind, startServer } from '@dal/testing/servers';
import { breakSomething, type FaultName, type Victims } from '../chaos/break-things.ts';
import { SeededRandom } from '../setup/seeded-random.ts';
import { Leaks } from './leaks.ts';
import { fillCaches, type LoadCounts, MixedLoad } from './load.ts';
import { leastSquares, type RestingState, restingState } from './resting-state.ts';

export interface SoakOptions {
  readonly engine: ServerKind;
  readonly seconds: number;
  readonly seed: number;
  /** Gives nothing back of some memory, sockets, timers and listeners, which must be seen. */
  readonly leak?: boolean;
}

export interface SoakReport {
  readonly options: SoakOptions;
  readonly load: LoadCounts;
  readonly faults: ReadonlyMap<FaultName, number>;
  /** One for each second or so. */
  readonly states: readonly RestingState[];
  /** Of the lines through the heap and the buffers after the warm-up. */
  readonly heapBytesPerSecond: number;
  readonly bufferBytesPerSecond: number;
  readonly violations: readonly string[];
}

const POOL_MAX = 6;
const ROUND_MS = 1_000;
/** On a machine that is too slow for a second's round too: fewer have no slope. */
const LEAST_ROUNDS = 6;
/** What was compiled and cached for the first time is not a leak. */
const WARM_UP_PART = 0.3;
/** By how much the line through the heap may rise over the whole run: the noise of a short one. */
const MOST_RISE_BYTES = 1_048_576;
/** The same for buffers: each line may have a big one just then, and there are a dozen. */
const MOST_BUFFER_RISE_BYTES = 2 * 1_048_576;

/** Mixed load and one fault a second; every second all rest, and what the process has is counted. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  await using server = await startServer(options.engine, { own: true });
  await using proxy = await startFaultProxy({ port: server.port });
  await using direct = await openDirect(server);
  await layTables(direct);
  const random = new SeededRandom(options.seed);
  const victims: Victims = { proxy, server, direct, random };
  const faults = new Map<FaultName, number>();
  const watch = watchProcess();
  const before = await restingState(0);
  const db = await createDatabase(proxy.through(server.url), {
    pool: { max: POOL_MAX },
    ...(server.kind === 'postgres' ? {} : { commitTable: 'soak_commits' }),
  });
  const leaks = options.leak ? new Leaks(server, db) : undefined;
  await fillCaches(db);
  const load = new MixedLoad(db, random);
  const states: RestingState[] = [];
  const endsAt = performance.now() + options.seconds * 1_000;
  while (performance.now() < endsAt || states.length < LEAST_ROUNDS) {
    const nextAt = performance.now() + ROUND_MS;
    await breakSomething(victims, faults).catch(() => undefined);
    await sleep(Math.max(0, nextAt - performance.now()));
    await load.rest();
    await settled(db);
    leaks?.round();
    states.push(await restingState(load.listeners));
    load.goOn();
  }
  await load.stop();
  await db.close({ timeoutMs: 2_000 });
  // The server's side of a line, and the proxy's, end a moment later.
  await sleep(300);
  const after = await restingState(load.listeners);
  leaks?.end();
  watch.end();
  const heapBytesPerSecond = slopeOf(states, 'heapBytes');
  const bufferBytesPerSecond = slopeOf(states, 'bufferBytes');
  return {
    options,
    load: load.counts,
    faults,
    states,
    heapBytesPerSecond,
    bufferBytesPerSecond,
    violations: [
      ...watch.said,
      ...load.violations,
      ...risen('the heap grows', states, heapBytesPerSecond, MOST_RISE_BYTES),
      ...risen('buffers grow', states, bufferBytesPerSecond, MOST_BUFFER_RISE_BYTES),
      ...violationsOf(states),
      ...leftOver(before, after),
    ],
  };
}

function slopeOf(states: readonly RestingState[], what: 'heapBytes' | 'bufferBytes'): number {
  const steady = states.slice(Math.floor(states.length * WARM_UP_PART));
  return leastSquares(steady.map((state) => [state.atSeconds, state[what]]));
}

function risen(
  what: string,
  states: readonly RestingState[],
  bytesPerSecond: number,
  most: number,
): string[] {
  const seconds = states.at(-1)!.atSeconds - states[0]!.atSeconds;
  const rise = bytesPerSecond * seconds * (1 - WARM_UP_PART);
  if (rise <= most) return [];
  return [
    `${what} by ${Math.round(bytesPerSecond)} bytes a second, ${Math.round(rise / 1_024)} KiB in this run`,
  ];
}

function violationsOf(states: readonly RestingState[]): string[] {
  const violations: string[] = [];
  // At rest there is at most: the client's end, and the proxy's two, of each line; and those of `direct`.
  const mostSockets = POOL_MAX * 3 + 4;
  for (const { atSeconds, sockets } of states) {
    if (sockets > mostSockets) {
      violations.push(`${sockets} sockets at rest after ${Math.round(atSeconds)} s`);
    }
  }
  for (const what of ['timers', 'others', 'listeners'] as const) {
    const most = (part: readonly RestingState[]): number =>
      Math.max(...part.map((state) => state[what]));
    const third = Math.ceil(states.length / 3);
    const [early, late] = [most(states.slice(0, third)), most(states.slice(-third))];
    if (late > early + 2) violations.push(`${what} at rest: ${early} at first, ${late} at last`);
  }
  return violations;
}

/** After `close` the process has what it had before. */
function leftOver(before: RestingState, after: RestingState): string[] {
  return (['sockets', 'timers', 'listeners'] as const).flatMap((what) =>
    after[what] > before[what]
      ? [`${what}: ${before[what]} before the start, ${after[what]} after close`]
      : [],
  );
}

async function settled(db: Database): Promise<void> {
  const endsAt = performance.now() + 5_000;
  while (performance.now() < endsAt) {
    const { lent, waiting, connecting } = db.pool.stats();
    if (lent + waiting + connecting === 0) return;
    await sleep(5);
  }
}

function openDirect(server: Server): Promise<Database> {
  const options = { pool: { max: 1 } };
  if (server.kind !== 'postgres') return createDatabase(server.url, options);
  return createDatabase(server.url, { ...options, applicationName: 'direct' });
}

async function layTables(db: Database): Promise<void> {
  for (const table of ['soak_rows', 'soak_fixed']) {
    await db.execute(`CREATE TABLE ${table} (id int NOT NULL, word varchar(200) NOT NULL)`);
  }
  await db.bulkInsert(
    'soak_fixed',
    Array.from({ length: 300 }, (_, id) => ({ id, word: `word ${id} `.repeat(8) })),
  );
}

interface ProcessWatch {
  readonly said: readonly string[];
  end(): void;
}

/** Whatever the process says of errors that nobody caught, and of listeners that are too many. */
function watchProcess(): ProcessWatch {
  const said: string[] = [];
  const onError = (error: unknown): void => void said.push(`uncaught: ${String(error)}`);
  const onWarning = ({ name, message }: Error): void => {
    if (name === 'MaxListenersExceededWarning') said.push(`${name}: ${message}`);
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  process.on('warning', onWarning);
  return {
    said,
    end() {
      process.off('uncaughtException', onError);
      process.off('unhandledRejection', onError);
      process.off('warning', onWarning);
    },
  };
}
