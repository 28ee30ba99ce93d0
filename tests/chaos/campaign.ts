import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { type Server, type ServerKind, startServer } from '@dal/testing/servers';
import { SeededRandom } from '../setup/seeded-random.ts';
import { attack, type Attacked } from './attack.ts';
import { Books } from './books.ts';
import type { Told } from './client.ts';
import { CONNECT_MS, DalClient } from './dal-client.ts';
import { type Audit, audit, layLedger } from './ledger.ts';
import { MessyCallers } from './messy-callers.ts';
import { checkPools } from './pool-checks.ts';
import { RawClient } from './raw-client.ts';
import { mostMs, type Verdict } from './verdict.ts';
import { ProcessWatch } from './watch-process.ts';
import { type SessionCounts, SessionWatch } from './watch-sessions.ts';

export interface CampaignOptions {
  readonly engine: ServerKind;
  readonly seconds: number;
  readonly seed: number;
  /** Through the raw driver with blind retries instead, which must go red. */
  readonly raw?: boolean;
  /** How often the server is killed and started again. Default: once in 15 seconds. */
  readonly crashes?: number;
}

export interface CampaignReport extends Attacked {
  readonly options: CampaignOptions;
  readonly told: Readonly<Record<Told, number>>;
  readonly audit: Audit;
  readonly reads: number;
  readonly sessions: SessionCounts;
  readonly verdicts: readonly Verdict[];
}

const WORKERS = 8;
const MESSY_WORKERS = 2;
const POOL_MAX = 6;
const CLOSE_MS = 2_000;
/** What a pool may try in an outage: each of its lines once, when it is cut, and ten a second. */
const attemptsAllowed = (lastedMs: number): number => POOL_MAX + lastedMs / 100;
/** A second, and what a loaded machine adds. */
const MOST_RECOVERY_MS = 1_500;
/** Server and proxy aren't asked in the same instant: for that long a line may seem one too many. */
const MOST_EXCESS_MS = 150;

/** Eight callers and an enemy, for some seconds; then the books are compared. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  await using server = await startServer(options.engine, { own: true });
  await using proxy = await startFaultProxy({ port: server.port });
  await using direct = await openDirect(server);
  await layLedger(direct);
  // All that it will ever open, so that what is counted later is the client's.
  await Promise.all([direct.query('SELECT 1'), direct.query('SELECT 1')]);
  using watchProcess = new ProcessWatch();
  const url = proxy.through(server.url);
  const client = options.raw ? new RawClient(url, POOL_MAX) : await DalClient.open(url, POOL_MAX);
  const random = new SeededRandom(options.seed);
  const books = new Books(client);
  const messy =
    client instanceof DalClient
      ? new MessyCallers(options.engine, client.db, new SeededRandom(options.seed + 1))
      : undefined;
  const watch = new SessionWatch(direct, proxy, POOL_MAX);
  const over = new AbortController();
  const workers = [
    ...Array.from({ length: WORKERS }, (_, worker) => books.work(worker, over.signal)),
    ...(messy ? Array.from({ length: MESSY_WORKERS }, () => messy.work(over.signal)) : []),
  ];
  const attacked = await attack(
    { proxy, server, direct, random, onCrash: () => messy?.forgetHolders() },
    books,
    options,
  );
  proxy.set('pass');
  over.abort();
  await Promise.all(workers);
  const sessions = await watch.stop();
  const closing = performance.now();
  await client.close(CLOSE_MS);
  const closeMs = performance.now() - closing;
  const after = await audit(direct, books.told);
  const verdicts = [...books.verdicts(after)];
  if (messy) {
    const left = await sessionsLeft(direct, server);
    verdicts.push(
      ...(await messy.verdicts(direct)),
      ...poolVerdicts(sessions, attacked),
      closeVerdict(closeMs, left),
      ...(await checkPools(server)),
      await watchProcess.verdict(),
    );
  }
  return {
    options,
    ...attacked,
    sessions,
    told: books.counts(),
    audit: after,
    reads: books.reads,
    verdicts: verdicts.toSorted((a, b) => a.promise.localeCompare(b.promise)),
  };
}

function openDirect(server: Server): Promise<Database> {
  const options = { pool: { max: 2 } };
  if (server.kind !== 'postgres') return createDatabase(server.url, options);
  return createDatabase(server.url, { ...options, applicationName: 'direct' });
}

/** Sessions of the client under test that the server still knows. */
async function sessionsLeft(direct: Database, { kind }: Server): Promise<number> {
  const text =
    kind === 'postgres'
      ? "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'direct'"
      : 'SELECT COUNT(*) - ? FROM information_schema.processlist WHERE db IS NOT NULL';
  for (let look = 0; ; look++) {
    const own = direct.pool.stats().size;
    const left = Number(await direct.queryValue(text, kind === 'postgres' ? [] : [own]));
    // A session whose line was cut in the middle of an answer takes the server a moment.
    if (left <= 0 || look === 20) return Math.max(0, left);
    await sleep(100);
  }
}

/** What a pool does wrong where only the server and the way to it can tell. */
function poolVerdicts(
  { longestExcessMs, loopDelayMs, inExcess, mostLive, mostStops, looks }: SessionCounts,
  { outage, recoveries }: Attacked,
): Verdict[] {
  const late = recoveries.filter(
    ({ fault, ms }) => ms > MOST_RECOVERY_MS + (fault === 'silence' ? CONNECT_MS : 0),
  );
  const attempts = outage && `${outage.attempts} attempts in ${Math.round(outage.lastedMs)} ms`;
  return [
    {
      promise: 'P3 sessions never above max',
      seen: `max seen ${mostLive} of ${POOL_MAX}${mostStops > 0 ? `, beside up to ${mostStops} that logged in or had a KILL to say` : ''}; ${looks} looks, longest excess ${Math.round(longestExcessMs)} ms`,
      broken:
        longestExcessMs > MOST_EXCESS_MS + 2 * loopDelayMs
          ? [
              `${mostLive} sessions instead of ${POOL_MAX}, for ${Math.round(longestExcessMs)} ms: ${inExcess.join('; ')}`,
            ]
          : [],
    },
    {
      promise: 'P5 serves again by itself, and knocks softly until then',
      seen: `${recoveries.length} times, ${mostMs(recoveries.map(({ ms }) => ms))} after the return at most; ${attempts ?? 'no long outage'}`,
      broken: [
        ...(outage && outage.attempts > attemptsAllowed(outage.lastedMs) ? [`${attempts}`] : []),
        ...late.map(({ fault, ms }) => `served again ${Math.round(ms)} ms after "${fault}"`),
      ],
    },
  ];
}

function closeVerdict(closeMs: number, left: number): Verdict {
  return {
    promise: 'P7 close ends in time after all of it',
    seen: `${Math.round(closeMs)} ms, ${left} sessions left on the server`,
    broken: [
      ...(closeMs > CLOSE_MS + 3_000 ? [`close took ${Math.round(closeMs)} ms`] : []),
      ...(left > 0 ? [`${left} sessions are left after close`] : []),
    ],
  };
}
