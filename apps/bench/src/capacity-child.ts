// One process of `pnpm bench capacity`. Started by capacity.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, isDalError } from '@dal/core';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';
import type { EngineName } from './read-arguments.ts';

export interface CapacityTask {
  readonly engine: EngineName;
  readonly url: string;
  readonly connections: number;
  readonly statementMs: number;
}

/** A load, and how long of it is measured after how long a time for it to settle. */
export interface CapacityLoad {
  /** Requests a second; absent: as many callers as there are connections, who never rest. */
  readonly perSecond?: number;
  readonly settleMs: number;
  readonly measureMs: number;
}

/** Of the requests that were begun in the time that is measured. */
export interface CapacityCounts {
  readonly begun: number;
  readonly done: number;
  readonly timeouts: number;
  readonly otherErrors: number;
  readonly waitMs: number;
}

const ACQUIRE_TIMEOUT_MS = 300;
const TICK_MS = 10;

let db: Database | undefined;
let statement = '';

process.on('message', (message) => void obey(message as CapacityTask | CapacityLoad));
process.on('disconnect', () => process.exit());

async function obey(message: CapacityTask | CapacityLoad): Promise<void> {
  process.send?.('url' in message ? await open(message) : await run(db!, message));
}

async function open({ engine, url, connections, statementMs }: CapacityTask): Promise<string> {
  const pool = { max: connections, maxWaiting: 100_000 };
  const seconds = statementMs / 1_000;
  const isPostgres = engine === 'postgres';
  db = isPostgres ? postgres(url, { pool }) : mysql(url, { pool, tls: 'disable' });
  statement = isPostgres ? `SELECT pg_sleep(${seconds})` : `SELECT SLEEP(${seconds})`;
  // Every connection is open, and used once, before anything is measured.
  const opened = db;
  const all = await Promise.all(
    Array.from({ length: connections }, () => opened.acquire({ timeoutMs: 30_000 })),
  );
  await Promise.all(all.map((one) => one.query(statement)));
  await Promise.all(all.map((one) => one.release()));
  return 'ready';
}

async function run(on: Database, load: CapacityLoad): Promise<CapacityCounts> {
  const counts = { begun: 0, done: 0, timeouts: 0, otherErrors: 0, waitMs: 0 };
  const beganAt = performance.now();
  const measureAt = beganAt + load.settleMs;
  const endsAt = measureAt + load.measureMs;
  const underWay = new Set<Promise<void>>();
  const request = async (): Promise<void> => {
    const askedAt = performance.now();
    const counted = askedAt >= measureAt && askedAt < endsAt;
    if (counted) counts.begun++;
    const ended = await ask(on);
    if (!counted) return;
    counts[ended.how]++;
    counts.waitMs += ended.waitMs;
  };
  if (load.perSecond === undefined) {
    const { max } = on.pool.stats();
    const callOn = async (): Promise<void> => {
      while (performance.now() < endsAt) await request();
    };
    await Promise.all(Array.from({ length: max }, callOn));
    return counts;
  }
  let sent = 0;
  // As many as are due by now: a late timer makes them late, but none fewer.
  while (performance.now() < endsAt) {
    const due = ((performance.now() - beganAt) * load.perSecond) / 1_000;
    for (; sent < due; sent++) {
      const one = request().finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await sleep(TICK_MS);
  }
  await Promise.all(underWay);
  return counts;
}

interface Ended {
  readonly how: 'done' | 'timeouts' | 'otherErrors';
  readonly waitMs: number;
}

async function ask(on: Database): Promise<Ended> {
  const askedAt = performance.now();
  try {
    await using connection = await on.acquire({ timeoutMs: ACQUIRE_TIMEOUT_MS });
    const waitMs = performance.now() - askedAt;
    await connection.query(statement);
    return { how: 'done', waitMs };
  } catch (error) {
    const isTimeout = isDalError(error) && error.name === 'AcquireTimeoutError';
    return { how: isTimeout ? 'timeouts' : 'otherErrors', waitMs: performance.now() - askedAt };
  }
}
