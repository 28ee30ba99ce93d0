import { createRequire } from 'node:module';
import { openDatabase } from '@dal/database';
import { postgres } from '@dal/postgres';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { Pool } from 'pg';
import { NARROW } from './rows.ts';
import { openStage } from './engine-stage.ts';
import { dalModes, type ObserveMode, Providers, withoutChannels } from './observe-modes.ts';
import type { Arguments } from './read-arguments.ts';
import { interleave, quartiles, type Quartiles, ratios } from './rounds.ts';
import { ROWS } from './rows.ts';
import { showObserve } from './show-observe.ts';
import { stillDriver } from './still-driver.ts';

/** What `pnpm bench observe --json` prints. */
export interface ObserveFigures {
  readonly rounds: number;
  /** Over a driver that does nothing: microseconds of processor time a call. */
  readonly layer: readonly ObserveCost[];
  /** One row by its primary key on PostgreSQL. */
  readonly postgres: readonly ObserveCost[];
  readonly aims: readonly ObserveVerdict[];
}

export interface ObserveCost {
  readonly name: string;
  readonly callers: number;
  readonly cpuUs: Quartiles;
  /** What it takes more than the one it is compared with, in the same round. */
  readonly extraUs: Quartiles;
  /** Its processor time divided by that of the one it is compared with, in the same round. */
  readonly ratio: Quartiles;
  readonly comparedWith: string;
}

export interface ObserveVerdict {
  readonly aim: string;
  readonly verdict: 'met' | 'missed';
  readonly got: Quartiles;
}

interface Contender {
  readonly name: string;
  /** The name of the one it is compared with. */
  readonly base: string;
  readonly mode: ObserveMode;
  readonly call: (turn: number) => Promise<unknown>;
}

const CALLS = 4_000;
const SERVER_CALLS = 1_500;
const WARM_UP_ROUNDS = 3;

/** What it costs to be observed, with everything but the sending. */
export async function observe(
  { rounds }: Arguments,
  say: (text: string) => void,
): Promise<ObserveFigures> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  await using providers = new Providers();
  const layer = await measureLayer(providers, rounds);
  const onServer = await measurePostgres(providers, rounds);
  const figures = { rounds, layer, postgres: onServer, aims: [judge(layer, onServer)] };
  say(showObserve(figures));
  return figures;
}

async function measureLayer(providers: Providers, rounds: number): Promise<ObserveCost[]> {
  await using db = openDatabase(stillDriver, {}, { pool: { max: 20 } });
  const call = (): Promise<unknown> => db.query(TEXT, [1]);
  const modes = [...dalModes(providers), withoutChannels];
  const base = modes[0]!.name;
  const contenders = modes.map((mode) => ({ name: mode.name, base, mode, call }));
  const costs = await measure(contenders, 1, rounds, CALLS);
  return costs;
}

const TEXT = 'SELECT id, name, email, visits FROM visitors WHERE id = ?';

async function measurePostgres(providers: Providers, rounds: number): Promise<ObserveCost[]> {
  await using stage = await openStage('postgres', ['visitors']);
  const { url, tables } = stage;
  await using db = postgres(url, { pool: { max: 20 } });
  await using stack = new AsyncDisposableStack();
  const pool = stack.adopt(new Pool({ connectionString: url, max: 20 }), (one) => one.end());
  const text = `SELECT ${NARROW.join(', ')} FROM ${tables.visitors} WHERE id = `;
  const dal = (turn: number): Promise<unknown> => db.query(`${text}?`, [(turn % ROWS) + 1]);
  const bare = (turn: number): Promise<unknown> => pool.query(`${text}$1`, [(turn % ROWS) + 1]);
  const [plain, ...others] = dalModes(providers);
  const contenders: Contender[] = [
    { name: 'db.query', base: 'db.query', mode: plain!, call: dal },
    ...others.map((mode) => ({
      name: `db.query, ${mode.name}`,
      base: 'db.query',
      mode,
      call: dal,
    })),
    { name: 'pg.Pool', base: 'pg.Pool', mode: plain!, call: bare },
    {
      name: 'pg.Pool, instrumentation-pg',
      base: 'pg.Pool',
      mode: instrumentationOfPg(providers),
      call: bare,
    },
  ];
  return [
    ...(await measure(contenders, 1, rounds, SERVER_CALLS)),
    ...(await measure(contenders, 20, rounds, SERVER_CALLS)),
  ];
}

/** What people have without DAL: metrics and spans by a patch of `pg`. */
function instrumentationOfPg({ meters, tracers }: Providers): ObserveMode {
  const instrumentation = new PgInstrumentation({ enabled: false });
  instrumentation.setMeterProvider(meters);
  instrumentation.setTracerProvider(tracers);
  return {
    name: 'instrumentation-pg',
    on() {
      instrumentation.enable();
      // It patches what is asked for by `require`, also when that was loaded before.
      const require = createRequire(import.meta.url);
      const { Client } = require('pg') as typeof import('pg');
      createRequire(require.resolve('pg'))('pg-pool');
      if (!('__wrapped' in Client.prototype.query)) {
        throw new Error('instrumentation-pg did not patch pg, so there is nothing to measure.');
      }
      return () => instrumentation.disable();
    },
  };
}

async function measure(
  contenders: readonly Contender[],
  callers: number,
  rounds: number,
  calls: number,
): Promise<ObserveCost[]> {
  const slice = async ({ mode, call }: Contender): Promise<number> => {
    const off = mode.on();
    try {
      return await cpuUs(call, callers, calls);
    } finally {
      off();
    }
  };
  await interleave(contenders, Math.min(WARM_UP_ROUNDS, rounds), slice);
  const measured = await interleave(contenders, rounds, slice);
  return contenders.map((one) => {
    const base = contenders.find(({ name }) => name === one.base)!;
    const [ours, theirs] = [measured.get(one)!, measured.get(base)!];
    return {
      name: one.name,
      callers,
      cpuUs: quartiles(ours),
      extraUs: quartiles(ours.map((value, round) => value - theirs[round]!)),
      ratio: quartiles(ratios(ours, theirs)),
      comparedWith: one.base,
    };
  });
}

async function cpuUs(
  call: (turn: number) => Promise<unknown>,
  callers: number,
  calls: number,
): Promise<number> {
  const each = Math.ceil(calls / callers);
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let turn = 0; turn < each; turn++) await call(caller + turn * callers);
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (each * callers);
}

/** The channels nobody listens to, as a part of what a query on a server takes of this process. */
function judge(layer: readonly ObserveCost[], onServer: readonly ObserveCost[]): ObserveVerdict {
  const without = layer.find(({ name }) => name === withoutChannels.name)!;
  const query = onServer.find(({ name, callers }) => name === 'db.query' && callers === 1)!;
  const share = (us: number): number => -us / query.cpuUs.median;
  const { low, median, high } = without.extraUs;
  const got = { low: share(high), median: share(median), high: share(low) };
  return {
    aim: 'channels without listeners take less than 1 % of a query',
    verdict: got.median < 0.01 ? 'met' : 'missed',
    got,
  };
}
