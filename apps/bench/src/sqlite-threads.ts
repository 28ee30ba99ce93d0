// Where should SQLite run? In this thread, in a thread of its own, or in a process of its own:
// latency of a call, delay of the event loop, and whether a stuck statement can be stopped.
//
//   node --conditions=@dal/source apps/bench/src/sqlite-threads.ts
// oxlint-disable unicorn/require-post-message-target-origin -- workers have no origin
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { DriverConnection } from '@dal/core';
import { sqliteDriver, type SqliteRaw } from '@dal/sqlite';
import Sqlite from 'better-sqlite3';

const ROUNDS = 7;
const CALLS = 2_000;
const LOOKUP = 'SELECT id, name FROM t WHERE id = ?';
const LONG =
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000000) SELECT sum(x) FROM c';
const STUCK =
  'INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*), 1 FROM c';
const GIVE_UP_MS = 5_000;

interface Way {
  readonly name: string;
  call(text: string, values: readonly unknown[]): Promise<unknown>;
  close(): Promise<unknown>;
}

if (!isMainThread) serveInThread(workerData as string);
else if (process.argv[2] === 'stuck-thread') await getStuckInThread(process.argv[3] ?? '');
else await main();

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dal-bench-sqlite-'));
  const file = join(folder, 'bench.db');
  try {
    fill(file);
    const opened = performance.now();
    const session = await connect(file, 'process');
    const openMs = performance.now() - opened;
    const ways: Way[] = [
      await driverWay('inline', file),
      await threadWay(file),
      { name: 'process', call: caller(session), close: () => session.close() },
    ];
    console.log(
      `Node ${process.version}, ${cpus().length} cores, ${ROUNDS} rounds of ${CALLS} calls`,
    );
    console.log(
      `process: opened in ${openMs.toFixed(0)} ms, own memory ${ownMemory(session.raw.pid)}\n`,
    );
    await latency(ways);
    await loopDelay(ways);
    await Promise.all(ways.map((way) => way.close()));
    await stopping(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function latency(ways: readonly Way[]): Promise<void> {
  const medians = new Map(ways.map(({ name }) => [name, [] as number[]]));
  for (const way of ways) await calls(way);
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ways) medians.get(way.name)?.push(await calls(way));
  }
  console.log(
    'one row by primary key, one caller: median us a call (least-most of the rounds), ratio to inline',
  );
  const inline = median(medians.get('inline') ?? []);
  for (const [name, rounds] of medians) {
    const middle = median(rounds);
    const [least, most] = [Math.min(...rounds), Math.max(...rounds)];
    console.log(
      `  ${name.padEnd(8)} ${middle.toFixed(1)} (${least.toFixed(1)}-${most.toFixed(1)})  x${(middle / inline).toFixed(1)}`,
    );
  }
}

async function calls(way: Way): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < CALLS; index++) {
    const began = performance.now();
    await way.call(LOOKUP, [(index % 1_000) + 1]);
    times.push((performance.now() - began) * 1_000);
  }
  return median(times);
}

async function loopDelay(ways: readonly Way[]): Promise<void> {
  console.log('\none long statement: its time, and the longest delay of the event loop meanwhile');
  for (const way of ways) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    delay.reset();
    // The first sample after a reset only sets the clock.
    await sleep(20);
    const began = performance.now();
    await way.call(LONG, []);
    const took = performance.now() - began;
    await sleep(20);
    delay.disable();
    console.log(
      `  ${way.name.padEnd(8)} ${took.toFixed(0)} ms, delay ${(delay.max / 1e6).toFixed(0)} ms`,
    );
  }
}

/** From the order to stop an endless INSERT until another session can write to the file. */
async function stopping(file: string): Promise<void> {
  console.log('\nan endless INSERT: from the order to stop until another session can write');
  const thread = fork(import.meta.filename, ['stuck-thread', file], {
    execArgv: ['--conditions=@dal/source'],
  });
  await once(thread, 'message');
  console.log(`  thread   (terminate)  ${await untilWritable(file)}`);
  thread.kill('SIGKILL');
  await once(thread, 'exit');

  const session = await connect(file, 'process');
  const stuck = session.query({ text: STUCK, values: [] }).catch(() => undefined);
  await sleep(300);
  session.destroy?.();
  console.log(`  process  (kill)       ${await untilWritable(file)}`);
  await stuck;
  await session.close();
  const database = new Sqlite(file);
  console.log(
    `  the file afterwards:  ${String(database.pragma('integrity_check', { simple: true }))}`,
  );
  database.close();
}

async function untilWritable(file: string): Promise<string> {
  const began = performance.now();
  const database = new Sqlite(file, { timeout: 0 });
  try {
    while (performance.now() - began < GIVE_UP_MS) {
      try {
        database.exec('BEGIN IMMEDIATE; ROLLBACK');
        return `${(performance.now() - began).toFixed(0)} ms`;
      } catch {
        await sleep(1);
      }
    }
    return `still locked after ${GIVE_UP_MS} ms`;
  } finally {
    database.close();
  }
}

/** In a process of its own, since only its death ends the thread. */
async function getStuckInThread(file: string): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: file });
  await once(worker, 'message');
  worker.postMessage([STUCK, []]);
  await sleep(300);
  void worker.terminate();
  process.send?.('terminated');
}

function serveInThread(file: string): void {
  const database = new Sqlite(file);
  database.defaultSafeIntegers(true);
  const statements = new Map<string, Sqlite.Statement>();
  parentPort?.on('message', ([text, values]: [string, unknown[]]) => {
    let statement = statements.get(text);
    if (statement === undefined) {
      statement = database.prepare(text);
      if (statement.reader) statement.raw(true);
      statements.set(text, statement);
    }
    parentPort?.postMessage(statement.reader ? statement.all(values) : statement.run(values));
  });
  parentPort?.postMessage('ready');
}

async function threadWay(file: string): Promise<Way> {
  const worker = new Worker(new URL(import.meta.url), { workerData: file });
  await once(worker, 'message');
  let answered: ((rows: unknown) => void) | undefined;
  worker.on('message', (rows) => answered?.(rows));
  return {
    name: 'thread',
    call(text, values) {
      return new Promise((resolve) => {
        answered = resolve;
        worker.postMessage([text, values]);
      });
    },
    close: () => worker.terminate(),
  };
}

async function driverWay(name: 'inline' | 'process', file: string): Promise<Way> {
  const session = await connect(file, name);
  return { name, call: caller(session), close: () => session.close() };
}

function caller(session: DriverConnection<SqliteRaw>): Way['call'] {
  return (text, values) => session.query({ text, values });
}

async function connect(
  path: string,
  runsIn: 'inline' | 'process',
): Promise<DriverConnection<SqliteRaw>> {
  const settings = sqliteDriver.configure?.({ path, runsIn });
  if (settings === undefined) throw new Error('The driver reads options.');
  const session = await sqliteDriver.connect(settings, () => undefined);
  return session;
}

function fill(file: string): void {
  const database = new Sqlite(file);
  database.pragma('journal_mode = WAL');
  database.exec(`
    CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);
    WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000)
    INSERT INTO t SELECT x, 'name ' || x FROM c;
  `);
  database.close();
}

/** What the process does not share with others; Linux only. */
function ownMemory(pid: number): string {
  try {
    const kib = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return `${Math.round(Number(kib) / 1_024)} MiB`;
  } catch {
    return 'unknown';
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
