import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { type Server, type ServerKind, startReplica, startServer } from '@dal/testing/servers';
import { readLedger, WriteLoad } from '../outages/write-load.ts';
import { few, mostMs, type Verdict } from './verdict.ts';

const TABLE = 'failover_ledger';
const WRITERS = 8;
/** Statements on a server that is frozen hold their sessions for that long. */
const TIMEOUT_MS = 1_500;
/** Half a second is the aim; a machine that starts and stops servers meanwhile adds to it. */
const MOST_MS = 1_000;

/** How one change of the primary went. */
interface Failover {
  readonly how: string;
  /** From the moment in which the new primary took writes to the first that was acknowledged. */
  readonly ms: number;
  readonly mostMs: number;
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly doubled: number;
  /** Rows that the former primary got after there was a new one. */
  readonly strays: number;
}

/** The primary changes under write load, again and again, in all the ways that the engine has. */
export async function runFailovers(engine: ServerKind, rounds: number): Promise<Verdict[]> {
  const all: Failover[] = [];
  for (let round = 0; round < rounds; round++) {
    if (engine === 'postgres') {
      all.push(await promotion(round % 2 === 0 ? 'killed' : 'frozen'));
    } else all.push(...(await readOnlyFlips(engine)));
  }
  const broken = (words: (one: Failover) => string | undefined): string[] =>
    all.flatMap((one) => {
      const said = words(one);
      return said === undefined ? [] : [`${one.how}: ${said}`];
    });
  const sum = (what: 'acknowledged' | 'doubled' | 'strays'): number =>
    all.reduce((total, one) => total + one[what], 0);
  const lost = all.flatMap((one) => one.lost);
  return [
    {
      promise: 'H1 writes go to one server only, and none is lost or doubled',
      seen: `${all.length} changes (${[...new Set(all.map(({ how }) => how))].join(', ')}), ${sum('acknowledged')} acknowledged, ${lost.length} lost, ${sum('doubled')} doubled`,
      broken: [
        ...broken((one) => (one.lost.length > 0 ? `lost ${few(one.lost)}` : undefined)),
        ...broken((one) => (one.doubled > 0 ? `${one.doubled} doubled` : undefined)),
      ],
    },
    {
      promise: 'H2 writes go on at once on the new primary, and none reach the former one',
      seen: `first write after ${mostMs(all.map(({ ms }) => ms))} at most, ${sum('strays')} writes on a former primary`,
      broken: [
        ...broken(({ ms, mostMs: limit }) =>
          ms > limit ? `first write after ${Math.round(ms)} ms` : undefined,
        ),
        ...broken(({ strays }) => (strays > 0 ? `${strays} writes on the former one` : undefined)),
      ],
    },
  ];
}

/** A standby with all that was acknowledged is promoted when the primary dies, or seems to. */
async function promotion(how: 'killed' | 'frozen'): Promise<Failover> {
  await using primary = await startServer('postgres', {
    own: true,
    settings: { synchronous_standby_names: 'second', wal_keep_size: '256MB' },
  });
  await using replica = await startReplica(primary, 'second');
  await using db = await openBoth(primary, replica);
  // Asked before it freezes: what is on its way there may still arrive when it thaws.
  await using old = await createDatabase(primary.url, { pool: { max: 1 } });
  await db.execute(`CREATE TABLE ${TABLE} (op int)`);
  await old.query('SELECT 1');
  const load = new WriteLoad(db, TABLE, WRITERS, TIMEOUT_MS);
  await sleep(300);
  await (how === 'killed' ? primary.kill() : primary.freeze());
  await sleep(300);
  await replica.promote();
  const promoted = performance.now();
  const ms = (await load.firstSince(promoted)) - promoted;
  const strays = how === 'frozen' ? await straysAfterThaw(primary, old) : 0;
  await load.stop();
  return {
    how: `${how} primary`,
    ms,
    // Its statements end with their time, not before.
    mostMs: how === 'frozen' ? MOST_MS + TIMEOUT_MS : MOST_MS,
    strays,
    ...(await compare(load, db)),
  };
}

/** It goes on as if nothing had been, and still holds itself for the primary. */
async function straysAfterThaw(primary: Server, old: Database): Promise<number> {
  await primary.thaw();
  await sleep(300);
  const before = await readLedger(old, TABLE);
  await sleep(1_000);
  return (await readLedger(old, TABLE)).rows - before.rows;
}

/** Two servers that know nothing of each other, one of them read-only: first this one, then that one. */
async function readOnlyFlips(kind: 'mysql' | 'mariadb'): Promise<Failover[]> {
  await using first = await startServer(kind, { own: true });
  await using second = await startServer(kind, { own: true });
  await using rootOfFirst = await createDatabase(first.url, { pool: { max: 1 } });
  await using rootOfSecond = await createDatabase(second.url, { pool: { max: 1 } });
  for (const root of [rootOfFirst, rootOfSecond]) {
    // A user who may write to a read-only server would prove nothing.
    await root.execute("CREATE USER app@'%' IDENTIFIED BY 'app'");
    await root.execute("GRANT ALL ON dal.* TO app@'%'");
    await root.execute(`CREATE TABLE ${TABLE} (op INT)`);
  }
  await rootOfSecond.execute('SET GLOBAL read_only = 1');
  const url = `${kind}://app:app@${first.host}:${first.port},${second.host}:${second.port}/dal?target_session_attrs=read-write`;
  await using db = await createDatabase(url, { pool: { max: 5 } });
  const load = new WriteLoad(db, TABLE, WRITERS, 8_000);
  await sleep(300);
  const flips: { ms: number; strays: number }[] = [];
  for (const [from, to] of [
    [rootOfFirst, rootOfSecond],
    [rootOfSecond, rootOfFirst],
  ] as const) {
    await from.execute('SET GLOBAL read_only = 1');
    const before = await readLedger(from, TABLE);
    await sleep(300);
    await to.execute('SET GLOBAL read_only = 0');
    const writable = performance.now();
    const ms = (await load.firstSince(writable)) - writable;
    await sleep(200);
    flips.push({ ms, strays: (await readLedger(from, TABLE)).rows - before.rows });
  }
  await load.stop();
  const books = await compare(load, rootOfFirst, rootOfSecond);
  return flips.map((flip, at) => ({
    how: 'read-only flip',
    mostMs: MOST_MS,
    ...flip,
    // The books are of both together.
    ...(at === 0 ? books : { acknowledged: 0, lost: [], doubled: 0 }),
  }));
}

function openBoth(primary: Server, replica: Server): Promise<Database> {
  const list = [primary, replica].map(({ host, port }) => `${host}:${port}`).join(',');
  const url = primary.url.replace(/@[^/]*/, `@${list}`);
  return createDatabase(`${url}?target_session_attrs=read-write`, { pool: { max: 5 } });
}

async function compare(
  { acknowledged }: WriteLoad,
  ...servers: Database[]
): Promise<Pick<Failover, 'acknowledged' | 'lost' | 'doubled'>> {
  const ledgers = await Promise.all(servers.map((db) => readLedger(db, TABLE)));
  const ops = new Set(ledgers.flatMap((ledger) => [...ledger.ops]));
  const rows = ledgers.reduce((sum, ledger) => sum + ledger.rows, 0);
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter(({ op }) => !ops.has(op)).map(({ op }) => String(op)),
    doubled: rows - ops.size,
  };
}
