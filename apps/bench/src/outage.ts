import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultProxy, startFaultProxy } from '@dal/testing/faults';
import { auditOutage, type OutageResult } from './audit-outage.ts';
import { judgeOutages, type OutageAim } from './outage-aims.ts';
import { outageClients, type OutageEngine } from './outage-clients.ts';
import { type OutageFaultName, outageFaults } from './outage-faults.ts';
import { OutageProcess } from './outage-process.ts';
import { openOutageStage, OUTAGE_WORDS, type OutageStage } from './outage-stage.ts';
import type { Arguments } from './read-arguments.ts';
import { showOutage, showOutageAims } from './show-outage.ts';

/** What `pnpm bench outage --json` prints. */
export interface OutageFigures {
  readonly outages: readonly Outage[];
  readonly aims: readonly OutageAim[];
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
/** How long everybody is watched after the server is back. */
const WATCH_MS = 3_000;
/** What a fault does to the server, and takes back, must have ended by then. */
const FAULT_LIMIT_MS = 90_000;

/** The same faults for everybody, at the same moment, on a server of our own. */
export async function outage(
  { engines, faults, quick }: Arguments,
  say: (text: string) => void,
): Promise<OutageFigures> {
  const outages: Outage[] = [];
  for (const engine of engines) {
    if (engine === 'sqlite') continue;
    const measured: Outage[] = [];
    const alone = faults.filter((fault) => fault !== 'standby promoted');
    if (alone.length > 0) {
      await using stage = await openOutageStage(engine, false);
      for (const fault of alone) measured.push(await measure(stage, fault, quick));
    }
    if (faults.includes('standby promoted')) {
      await using stage = await openOutageStage(engine, true);
      measured.push(await measure(stage, 'standby promoted', quick));
    }
    say(showOutage(measured));
    outages.push(...measured);
  }
  const aims = judgeOutages(outages);
  say(showOutageAims(aims));
  return { outages, aims };
}

async function measure(
  stage: OutageStage,
  fault: OutageFaultName,
  quick: boolean,
): Promise<Outage> {
  const { engine, server, standby, admin, ledger } = stage;
  // It takes minutes; the figures alone go to the standard output.
  process.stderr.write(`${engine}: ${fault}\n`);
  await using opened = new AsyncDisposableStack();
  const number = Object.keys(outageFaults).indexOf(fault);
  const open = async (port: number): Promise<FaultProxy> =>
    opened.use(await startFaultProxy({ port }));
  const proxies: FaultProxy[] = [];
  const processes: OutageProcess[] = [];
  for (const [at, contender] of Object.keys(outageClients(engine)).entries()) {
    const proxy = await open(server.port);
    // Who knows several servers gets a way to each; all others one address, which the fault moves.
    const second = standby && contender === 'DAL' ? await open(standby.server.port) : undefined;
    if (!second) proxies.push(proxy);
    const one = new OutageProcess({
      engine,
      contender,
      who: `${number}-${at}`,
      url: admin.urlOf(proxy.through(server.url)),
      ...(second && { secondPort: second.port }),
      password: admin.password,
      callers: CALLERS,
      words: OUTAGE_WORDS,
    });
    opened.defer(() => one.stop());
    processes.push(one);
  }
  await Promise.all(processes.map((one) => one.comesToWork(3 * CALLERS)));
  const beganAt = now();
  await within(
    FAULT_LIMIT_MS,
    outageFaults[fault]({ server, standby, admin, proxies, processes, quick }),
    `"${fault}" on ${engine} was not over`,
  );
  const endedAt = now();
  await sleep(WATCH_MS);
  await Promise.all(processes.map((one) => one.stop()));
  const rows = await ledger.query<{ who: string; op: string; part: number }>(
    'SELECT who, op, part FROM outage_ledger WHERE who LIKE ?',
    [`${number}-%`],
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

async function within(limitMs: number, work: Promise<void>, what: string): Promise<void> {
  const ended = new AbortController();
  const limit = sleep(limitMs, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`${what} after ${limitMs / 1_000} s.`);
  });
  limit.catch(() => undefined);
  try {
    await Promise.race([work, limit]);
  } finally {
    ended.abort();
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
