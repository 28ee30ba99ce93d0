import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { type FaultProxy, startFaultProxy } from '@dal/testing/faults';
import type { Server } from '@dal/testing/servers';
import { mostMs, type Verdict } from './verdict.ts';

const MAX = 2;
const OUTAGE_MS = 1_000;
const POOLS = 4;
/** Ten a second for all pools together, and the one that each line may make when it is cut. */
const MOST_ATTEMPTS = POOLS * MAX + 10 * (OUTAGE_MS / 1_000);

/** What is asked best while nothing else happens: the order of the queue, many pools, `close`. */
export function checkPools(server: Server): Promise<Verdict[]> {
  return Promise.all([queueKeepsOrder(server), poolsShareAttempts(server), closeEnds(server)]);
}

async function queueKeepsOrder(server: Server): Promise<Verdict> {
  await using db = await createDatabase(server.url, { pool: { max: MAX } });
  const held = await Promise.all(Array.from({ length: MAX }, () => db.acquire()));
  const served: number[] = [];
  const leaver = new AbortController();
  const waiting = Array.from({ length: 50 }, async (_, place) => {
    const leaves = place % 10 === 3;
    const options = leaves ? { signal: leaver.signal } : { timeoutMs: 10_000 };
    const connection = await db.acquire(options).catch(() => undefined);
    if (!connection) return;
    served.push(place);
    await connection.release();
  });
  await sleep(1);
  const before = db.pool.stats().waiting;
  leaver.abort();
  const left = before - db.pool.stats().waiting;
  for (const connection of held) await connection.release();
  await Promise.all(waiting);
  const inOrder = served.every((place, at) => at === 0 || place > served[at - 1]!);
  const { waiting: forgotten } = db.pool.stats();
  return {
    promise: 'P4 first come, first served; who gives up leaves at once',
    seen: `${served.length} of ${before} served, ${left} gave up, ${forgotten} still waiting`,
    broken: [
      ...(inOrder ? [] : [`served in the order ${served.join(' ')}`]),
      ...(left === 5 && served.length === 45 && forgotten === 0
        ? []
        : ['a place in the queue was lost']),
    ],
  };
}

async function poolsShareAttempts(server: Server): Promise<Verdict> {
  await using proxy = await startFaultProxy({ port: server.port });
  const url = proxy.through(server.url);
  const pools = await Promise.all(
    Array.from({ length: POOLS }, () => createDatabase(url, { pool: { max: MAX } })),
  );
  await Promise.all(pools.map((db) => db.query('SELECT 1')));
  const before = proxy.counts.accepted;
  proxy.set('reset-on-accept');
  proxy.resetAll();
  const calls = pools.flatMap((db) =>
    Array.from({ length: 5 }, () => db.query('SELECT 1', [], { timeoutMs: 8_000 })),
  );
  const all = Promise.allSettled(calls);
  await sleep(OUTAGE_MS);
  const attempts = proxy.counts.accepted - before;
  proxy.set('pass');
  const failed = (await all).filter(({ status }) => status === 'rejected').length;
  await Promise.all(pools.map((db) => db.close()));
  return {
    promise: 'P6 many pools share the attempts to reach a server',
    seen: `${attempts} attempts of ${POOLS} pools in ${OUTAGE_MS} ms, ${failed} of ${calls.length} calls failed`,
    broken: [
      ...(attempts > MOST_ATTEMPTS ? [`${attempts} attempts, at most ${MOST_ATTEMPTS}`] : []),
      ...(failed > 0 ? [`${failed} calls were not served on the server's return`] : []),
    ],
  };
}

const CLOSE_MS = 400;
/** What a busy machine adds to the time that was given. */
const CLOSE_SLACK_MS = 600;

type State = (db: Database, proxy: FaultProxy) => Promise<unknown>;

/** Everything that a pool may be in the middle of; none of it may hold up the end. */
const states = {
  idle: (db) => db.query('SELECT 1'),
  'never used': async () => undefined,
  borrowed: (db) => db.acquire(),
  async waiting(db) {
    await Promise.all([db.acquire(), db.acquire()]);
    for (let turn = 0; turn < 5; turn++) void db.query('SELECT 1').catch(() => undefined);
  },
  async 'in a transaction'(db) {
    const connection = await db.acquire();
    await connection.begin();
    await connection.query('SELECT 1');
  },
  async 'statement running'(db) {
    const isPostgres = db.dialect.name === 'postgres';
    void db.query(isPostgres ? 'SELECT pg_sleep(20)' : 'SELECT SLEEP(20)').catch(() => undefined);
    await sleep(30);
  },
  async 'stalled line'(db, proxy) {
    await db.query('SELECT 1');
    proxy.set('stall');
    void db.query('SELECT 1').catch(() => undefined);
    await sleep(10);
  },
  async 'connecting to silence'(db, proxy) {
    proxy.set('accept-silent');
    void db.query('SELECT 1').catch(() => undefined);
    await sleep(30);
  },
  async 'server refuses'(db, proxy) {
    await db.query('SELECT 1');
    await proxy.down();
    void db.query('SELECT 1').catch(() => undefined);
    await sleep(30);
  },
} satisfies Record<string, State>;

async function closeEnds(server: Server): Promise<Verdict> {
  const ends = await Promise.all(Object.entries(states).map((one) => closeIn(server, ...one)));
  return {
    promise: 'P7 close ends in every state, and leaves nothing',
    seen: `${ends.length} states, ${mostMs(ends.map(({ ms }) => ms))} at most with ${CLOSE_MS} ms given`,
    broken: ends.flatMap(({ broken }) => broken),
  };
}

async function closeIn(
  server: Server,
  name: string,
  state: State,
): Promise<{ ms: number; broken: string[] }> {
  await using proxy = await startFaultProxy({ port: server.port });
  const db = await createDatabase(proxy.through(server.url), { pool: { max: MAX } });
  await state(db, proxy);
  const began = performance.now();
  const closing = db.close({ timeoutMs: CLOSE_MS }).catch(() => undefined);
  const again = db.close({ timeoutMs: CLOSE_MS }).catch(() => undefined);
  const ended = await Promise.race([Promise.all([closing, again]), sleep(5_000)]);
  const ms = performance.now() - began;
  const broken: string[] = [];
  if (!ended) broken.push(`${name}: close did not end`);
  else if (ms > CLOSE_MS + CLOSE_SLACK_MS) broken.push(`${name}: close took ${Math.round(ms)} ms`);
  const lateCall = performance.now();
  const refused = await db.query('SELECT 1').then(
    () => false,
    () => true,
  );
  if (!refused || performance.now() - lateCall > 200)
    broken.push(`${name}: a later call was not refused at once`);
  const left = (): string[] => {
    const { size, waiting, connecting } = db.pool.stats();
    const inPool = size + waiting + connecting;
    // A line that stalls tells nobody of its end.
    const lines = proxy.mode === 'pass' ? proxy.counts.open : 0;
    return [
      ...(inPool > 0 ? [`${name}: ${inPool} left in the pool`] : []),
      ...(lines > 0 ? [`${name}: ${lines} lines are left`] : []),
    ];
  };
  // What was cut at the last moment ends in the next one.
  const endsAt = performance.now() + 1_000;
  while (left().length > 0 && performance.now() < endsAt) await sleep(5);
  broken.push(...left());
  return { ms, broken };
}
