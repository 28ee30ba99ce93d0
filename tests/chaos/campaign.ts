import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase } from '@dal/factory';
import type { Database } from '@dal/core';
import { startFaultProxy } from '@dal/testing/faults';
import { type Server, type ServerKind, startServer } from '@dal/testing/servers';
import {
  breakSomething,
  crash,
  type FaultName,
  type Outage,
  outage,
  type Victims,
} from './break-things.ts';
import type { Client, Told } from './client.ts';
import { DalClient } from './dal-client.ts';
import { ACCOUNTS, type Audit, audit, layLedger, WORDS } from './ledger.ts';
import { RawClient } from './raw-client.ts';
import { type SessionCounts, SessionWatch } from './watch-sessions.ts';
import { SeededRandom } from '../setup/seeded-random.ts';

export interface CampaignOptions {
  readonly engine: ServerKind;
  readonly seconds: number;
  readonly seed: number;
  /** Through the raw driver with blind retries instead, which must go red. */
  readonly raw?: boolean;
  /** How often the server is killed and started again. Default: once in 15 seconds. */
  readonly crashes?: number;
}

export interface CampaignReport {
  readonly options: CampaignOptions;
  readonly faults: ReadonlyMap<FaultName, number>;
  readonly told: Readonly<Record<Told, number>>;
  readonly audit: Audit;
  readonly reads: number;
  /** Operations that went on after their deadline, in ms beyond it. */
  readonly late: readonly number[];
  readonly sessions: SessionCounts;
  readonly outage: Outage | undefined;
  /** By fault: how long after the server's return the first write was acknowledged, in ms. */
  readonly recoveries: readonly Recovery[];
  readonly violations: readonly string[];
}

export interface Recovery {
  readonly fault: FaultName;
  readonly ms: number;
}

const WORKERS = 8;
const POOL_MAX = 6;
const TIMEOUT_MS = 4_000;
/** What a loaded machine and a settled cancel may add to a deadline. */
const SLACK_MS = 750;
const CLOSE_MS = 2_000;
/** Between two faults something succeeds, or this time passes: a slow machine is hurt no more often. */
const PROGRESS_MS = 300;
const OUTAGE_MS = 2_000;
/** What a pool may try in that time: each of its lines once, when it is cut, and ten a second. */
const MOST_ATTEMPTS = POOL_MAX + 10 * (OUTAGE_MS / 1_000);
/** A second, and what a loaded machine adds. */
const MOST_RECOVERY_MS = 1_500;
/** Between two looks at the server a look may find one line too many that is just being closed. */
const MOST_EXCESS_MS = 150;

/** Eight callers and an enemy, for some seconds; then the books are compared. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  await using server = await startServer(options.engine, { own: true });
  await using proxy = await startFaultProxy({ port: server.port });
  const direct = await openDirect(server);
  await layLedger(direct);
  const uncaught: string[] = [];
  const onUncaught = (error: unknown): void => {
    uncaught.push(error instanceof Error ? error.message : String(error));
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  try {
    const url = proxy.through(server.url);
    const client = options.raw ? new RawClient(url, POOL_MAX) : await DalClient.open(url, POOL_MAX);
    const random = new SeededRandom(options.seed);
    const victims: Victims = { proxy, server, direct, random };
    const books = new Books(client);
    const watch = new SessionWatch(direct, proxy, POOL_MAX);
    const endsAt = performance.now() + options.seconds * 1_000;
    const workers = Array.from({ length: WORKERS }, (_, worker) => books.work(worker, endsAt));
    const attacked = await attack(victims, books, options, endsAt);
    proxy.set('pass');
    await Promise.all(workers);
    const sessions = await watch.stop();
    const closing = performance.now();
    await client.close(CLOSE_MS);
    const closeMs = performance.now() - closing;
    const after = await audit(direct, books.told);
    const left = options.raw ? 0 : await sessionsLeft(direct, server);
    return {
      options,
      ...attacked,
      sessions,
      told: books.counts(),
      audit: after,
      reads: books.reads,
      late: books.late,
      violations: [
        ...violationsOf(after),
        ...books.violations,
        ...(options.raw ? [] : poolViolations(sessions, attacked)),
        ...uncaught.map((words) => `P8 uncaught: ${words}`),
        ...(closeMs > CLOSE_MS + 3_000 ? [`P7 close took ${Math.round(closeMs)} ms`] : []),
        ...(left > 0 ? [`P7 ${left} sessions are left after close`] : []),
      ],
    };
  } finally {
    process.off('uncaughtException', onUncaught);
    process.off('unhandledRejection', onUncaught);
    await direct.close({ timeoutMs: 1_000 });
  }
}

/** What the callers did, and what they were told. */
class Books {
  readonly told = new Map<string, Told>();
  readonly late: number[] = [];
  readonly violations: string[] = [];
  reads = 0;
  #acknowledged = 0;
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async work(worker: number, endsAt: number): Promise<void> {
    for (let turn = 0; performance.now() < endsAt; turn++) {
      const op = `w${worker}-${turn}`;
      const started = performance.now();
      try {
        await this.#one(op, turn, worker);
      } catch (error) {
        this.violations.push(`an error that is none of the layer's: ${String(error)}`);
      }
      const over = performance.now() - started - TIMEOUT_MS;
      if (over > 100) this.late.push(Math.round(over));
      if (over > SLACK_MS) this.violations.push(`T3 ${op} ended ${Math.round(over)} ms late`);
      // A caller that fails at once must not do nothing but fail.
      await sleep(1);
    }
  }

  /** How long it takes until the next write is acknowledged; at the most that time. */
  async untilAcknowledged(limitMs: number): Promise<number> {
    const before = this.#acknowledged;
    const began = performance.now();
    while (this.#acknowledged === before && performance.now() < began + limitMs) await sleep(1);
    return performance.now() - began;
  }

  /** Resolves when some more writes were acknowledged; at the latest after that time. */
  async progress(limitMs: number): Promise<void> {
    const wanted = this.#acknowledged + 3;
    const endsAt = performance.now() + limitMs;
    while (this.#acknowledged < wanted && performance.now() < endsAt) await sleep(5);
  }

  counts(): Record<Told, number> {
    const counts = { acknowledged: 0, nothing: 0, unknown: 0 };
    for (const said of this.told.values()) counts[said]++;
    return counts;
  }

  async #one(op: string, turn: number, worker: number): Promise<void> {
    if (turn % 4 === 3) {
      this.reads++;
      const whole = await this.#client.read(1 + ((turn * 7) % WORDS), TIMEOUT_MS);
      if (!whole) this.violations.push(`D7 ${op} read other rows than there are`);
      return;
    }
    const account = 1 + ((turn + worker) % ACCOUNTS);
    const told =
      turn % 4 === 2
        ? await this.#client.note(op, TIMEOUT_MS)
        : await this.#client.transfer(op, account, TIMEOUT_MS);
    this.told.set(op, told);
    if (told === 'acknowledged') this.#acknowledged++;
  }
}

interface Attacked {
  readonly faults: ReadonlyMap<FaultName, number>;
  readonly outage: Outage | undefined;
  readonly recoveries: readonly Recovery[];
}

async function attack(
  victims: Victims,
  books: Books,
  { seconds, crashes = Math.floor(seconds / 15) }: CampaignOptions,
  endsAt: number,
): Promise<Attacked> {
  const { random } = victims;
  const faults = new Map<FaultName, number>();
  const recoveries: Recovery[] = [];
  const recovered = async (fault: FaultName): Promise<void> => {
    recoveries.push({ fault, ms: await books.untilAcknowledged(TIMEOUT_MS) });
  };
  let nextCrash = crashes > 0 ? endsAt - seconds * 500 : Infinity;
  let crashesLeft = crashes;
  let outageAt = seconds >= 10 ? endsAt - seconds * 800 : Infinity;
  let said: Outage | undefined;
  while (performance.now() < endsAt) {
    await sleep(random.between(20, 40));
    await books.progress(PROGRESS_MS);
    const now = performance.now();
    if (now >= outageAt) {
      outageAt = Infinity;
      said = await outage(victims, faults, OUTAGE_MS);
      await recovered('outage');
    } else if (now >= nextCrash && crashesLeft > 0) {
      crashesLeft--;
      nextCrash = now + 10_000;
      await crash(victims, faults);
      await recovered('crash');
    } else {
      const fault = await breakSomething(victims, faults).catch(() => undefined);
      if (fault === 'refused') await recovered(fault);
    }
  }
  return { faults, outage: said, recoveries };
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
function poolViolations(
  { longestExcessMs, mostLive }: SessionCounts,
  { outage: said, recoveries }: Attacked,
): string[] {
  const late = recoveries.filter(({ ms }) => ms > MOST_RECOVERY_MS);
  return [
    ...(longestExcessMs > MOST_EXCESS_MS
      ? [`P3 ${mostLive} sessions instead of ${POOL_MAX}, for ${Math.round(longestExcessMs)} ms`]
      : []),
    ...(said && said.attempts > MOST_ATTEMPTS
      ? [`P5 ${said.attempts} attempts to connect in an outage of ${Math.round(said.lastedMs)} ms`]
      : []),
    ...late.map(({ fault, ms }) => `P5 served again ${Math.round(ms)} ms after "${fault}"`),
  ];
}

function violationsOf({ lost, doubled, denied, imbalance }: Audit): string[] {
  const few = (ops: readonly string[]): string => `${ops.length}: ${ops.slice(0, 5).join(', ')}`;
  return [
    ...(lost.length > 0 ? [`D1 acknowledged and lost ${few(lost)}`] : []),
    ...(doubled.length > 0 ? [`D2 done twice ${few(doubled)}`] : []),
    ...(denied.length > 0 ? [`D3 denied and done ${few(denied)}`] : []),
    ...(imbalance === 0 ? [] : [`D1 the accounts differ from the ledger by ${imbalance}`]),
  ];
}
