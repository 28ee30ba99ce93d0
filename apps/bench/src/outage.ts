import { setTimeout as sleep } from 'node:timers/promises';
import { type Database } from '@dal/core';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';
import { startFaultProxy } from '@dal/testing/faults';
import { type Server, startServer } from '@dal/testing/servers';
import { auditOutage, type OutageResult } from './audit-outage.ts';
import { outageClients, type OutageEngine } from './outage-clients.ts';
import { type OutageFaultName, outageFaults } from './outage-faults.ts';
import { OutageProcess } from './outage-process.ts';
import type { Arguments } from './read-arguments.ts';
import { SessionAdmin } from './session-admin.ts';
import { showOutage } from './show-outage.ts';

/** What `pnpm bench outage --json` prints. */
export interface OutageFigures {
  readonly outages: readonly Outage[];
}

/** One fault on one engine, and what everybody made of it. */
export interface Outage {
  readonly engine: OutageEngine;
  readonly serverVersion: string;
  readonly fault: OutageFaultName;
  /** From its beginning to the server's return. */
  readonly lastedMs: number;
  readonly results: readonly OutageResult[];
}

const CALLERS = 8;
const WORDS = Array.from({ length: 20 }, (_, id) => `word ${id}`);
/** How long everybody is watched after the server is back. */
const WATCH_MS = 3_000;

/** The same faults for everybody, at the same moment, on a server of our own. */
export async function outage(
  { engines, faults, quick }: Arguments,
  say: (text: string) => void,
): Promise<OutageFigures> {
  const outages: Outage[] = [];
  for (const engine of engines) {
    if (engine === 'sqlite') continue;
    await using server = await startServer(engine, {
      own: true,
      settings: {
        max_connections: 40,
        // All come from one host: who breaks off many handshakes must not lock the others out.
        ...(engine === 'postgres' ? {} : { max_connect_errors: 1_000_000 }),
      },
    });
    await using db = openAdmin(server);
    await layTables(db);
    const admin = new SessionAdmin(server, db);
    await admin.makeUser();
    const measured: Outage[] = [];
    for (const fault of faults) {
      // It takes minutes; the figures alone go to the standard output.
      process.stderr.write(`${engine}: ${fault}\n`);
      measured.push(await measure(engine, server, db, admin, fault, quick));
    }
    say(showOutage(measured));
    outages.push(...measured);
  }
  return { outages };
}

async function measure(
  engine: OutageEngine,
  server: Server,
  db: Database,
  admin: SessionAdmin,
  fault: OutageFaultName,
  quick: boolean,
): Promise<Outage> {
  await using opened = new AsyncDisposableStack();
  const contenders = Object.keys(outageClients(engine));
  const proxies = await Promise.all(
    contenders.map(async () => opened.use(await startFaultProxy({ port: server.port }))),
  );
  const processes = contenders.map((contender, at) => {
    const one = new OutageProcess({
      engine,
      contender,
      who: `${Object.keys(outageFaults).indexOf(fault)}-${at}`,
      url: admin.urlOf(proxies[at]!.through(server.url)),
      password: admin.password,
      callers: CALLERS,
      words: WORDS,
    });
    opened.defer(() => one.stop());
    return one;
  });
  await Promise.all(processes.map((one) => one.comesToWork(3 * CALLERS)));
  const beganAt = now();
  await outageFaults[fault]({ server, admin, proxies, processes, quick });
  const endedAt = now();
  await sleep(WATCH_MS);
  await Promise.all(processes.map((one) => one.stop()));
  const rows = await db.query<{ who: string; op: string; part: number }>(
    'SELECT who, op, part FROM outage_ledger WHERE who LIKE ?',
    [`${Object.keys(outageFaults).indexOf(fault)}-%`],
  );
  return {
    engine,
    serverVersion: server.version,
    fault,
    lastedMs: endedAt - beganAt,
    results: processes.map((one) =>
      auditOutage(
        one,
        rows.filter(({ who }) => who === one.who),
        { beganAt, endedAt },
      ),
    ),
  };
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

function openAdmin(server: Server): Database {
  const options = { pool: { max: 2 }, retry: { maxRetries: 5 } };
  return server.kind === 'postgres' ? postgres(server.url, options) : mysql(server.url, options);
}

async function layTables(db: Database): Promise<void> {
  // Without a key on purpose: a second row of the same request must be able to appear.
  await db.execute(
    'CREATE TABLE outage_ledger (who varchar(10) NOT NULL, op varchar(40) NOT NULL, part int NOT NULL)',
  );
  await db.execute('CREATE TABLE outage_words (id int PRIMARY KEY, word varchar(40) NOT NULL)');
  await db.bulkInsert(
    'outage_words',
    WORDS.map((word, id) => ({ id, word })),
  );
}
