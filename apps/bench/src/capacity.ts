import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { type Server, startServer } from '@dal/testing/servers';
import type { CapacityCounts, CapacityLoad, CapacityTask } from './capacity-child.ts';
import type { Arguments, EngineName } from './read-arguments.ts';
import { showCapacity } from './show-capacity.ts';

/** What `pnpm bench capacity --json` prints. */
export interface CapacityFigures {
  readonly capacities: readonly Capacity[];
}

/** So many processes on one engine. */
export interface Capacity {
  readonly engine: EngineName;
  readonly serverVersion: string;
  readonly processes: number;
  readonly connections: number;
  readonly statementMs: number;
  /** What Little's law gives: connections divided by the time that one statement holds one. */
  readonly perSecond: number;
  readonly loads: readonly CapacityResult[];
}

export interface CapacityResult {
  /** What is asked for, as part of what Little's law gives; absent: callers who never rest. */
  readonly factor?: number;
  readonly donePerSecond: number;
  /** Part of the requests that got no connection in time. */
  readonly timeouts: number;
  /** What Little's law says of it: what is too much can't be served. */
  readonly expectedTimeouts: number;
  readonly otherErrors: number;
  readonly meanWaitMs: number;
  /** Part of all processors that was busy. */
  readonly busy: number;
}

const CONNECTIONS = 20;
const STATEMENT_MS = 100;

/** Processes with a pool each, statements that take a tenth of a second, and more and more of them. */
export async function capacity(
  { engines, processes, loads, quick }: Arguments,
  say: (text: string) => void,
): Promise<CapacityFigures> {
  const capacities: Capacity[] = [];
  for (const engine of engines) {
    if (engine === 'sqlite') continue;
    await using server = await startServer(engine, {
      own: true,
      settings: { max_connections: Math.max(...processes) * CONNECTIONS + 10 },
    });
    for (const count of processes) {
      const measured = await measure(engine, server, count, loads, quick);
      capacities.push(measured);
      say(showCapacity(measured));
    }
  }
  return { capacities };
}

async function measure(
  engine: EngineName,
  server: Server,
  processes: number,
  percents: readonly number[],
  quick: boolean,
): Promise<Capacity> {
  const task = { engine, url: server.url, connections: CONNECTIONS, statementMs: STATEMENT_MS };
  const children: ChildProcess[] = [];
  try {
    for (let at = 0; at < processes; at++) children.push(await startChild(task));
    const perSecond = (processes * CONNECTIONS * 1_000) / STATEMENT_MS;
    const loads: CapacityResult[] = [];
    for (const percent of percents) {
      const factor = percent === 0 ? undefined : percent / 100;
      loads.push(await runLoad(children, perSecond, factor, quick));
    }
    return {
      engine,
      serverVersion: server.version,
      processes,
      connections: CONNECTIONS,
      statementMs: STATEMENT_MS,
      perSecond,
      loads,
    };
  } finally {
    await Promise.all(children.map(stopChild));
  }
}

async function runLoad(
  children: readonly ChildProcess[],
  perSecond: number,
  factor: number | undefined,
  quick: boolean,
): Promise<CapacityResult> {
  const load: CapacityLoad = {
    ...(factor !== undefined && { perSecond: (factor * perSecond) / children.length }),
    // Until the queue is as long as it is going to be: longest where the load is just too much.
    settleMs: (factor ?? 0) > 1 ? (quick ? 3_500 : 4_000) : 500,
    measureMs: quick ? 1_500 : 4_000,
  };
  const before = processorTimes();
  const counts = await Promise.all(children.map((child) => tell<CapacityCounts>(child, load)));
  const after = processorTimes();
  const sum = (what: keyof CapacityCounts): number =>
    counts.reduce((total, one) => total + one[what], 0);
  return {
    ...(factor !== undefined && { factor }),
    donePerSecond: (sum('done') * 1_000) / load.measureMs,
    timeouts: sum('timeouts') / sum('begun'),
    expectedTimeouts: Math.max(0, 1 - 1 / (factor ?? 1)),
    otherErrors: sum('otherErrors'),
    meanWaitMs: sum('waitMs') / sum('begun'),
    busy: (after.busy - before.busy) / (after.all - before.all),
  };
}

async function startChild(task: CapacityTask): Promise<ChildProcess> {
  const child = fork(new URL('capacity-child.ts', import.meta.url), {
    execArgv: ['--conditions=@dal/source'],
  });
  await tell(child, task);
  return child;
}

async function tell<Answer>(
  child: ChildProcess,
  what: CapacityTask | CapacityLoad,
): Promise<Answer> {
  const ended = new AbortController();
  const died = once(child, 'exit', { signal: ended.signal }).then(() => {
    throw new Error('A process of the benchmark ended before its time.');
  });
  died.catch(() => undefined);
  const answer = once(child, 'message', { signal: ended.signal });
  answer.catch(() => undefined);
  try {
    child.send(what);
    const [said] = (await Promise.race([answer, died])) as [Answer];
    return said;
  } finally {
    ended.abort();
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
}

function processorTimes(): { readonly busy: number; readonly all: number } {
  const times = cpus().map((one) => one.times);
  const idle = times.reduce((sum, one) => sum + one.idle, 0);
  const all = times.reduce(
    (sum, { user, nice, sys, idle: rest, irq }) => sum + user + nice + sys + rest + irq,
    0,
  );
  return { busy: all - idle, all };
}
