import { type Database, ConfigError } from '@dal/core';
import { consoleHandler } from '@dal/console';
import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from './audit.ts';
import { openEndpoint } from './endpoint.ts';
import { engineWords } from './engine-words.ts';
import { Incidents } from './incidents/incidents.ts';
import type { Interruption } from './interruption.ts';
import { openTarget, type Target } from './open-target.ts';
import type { DemoOptions } from './options.ts';
import { printFailure, printFigures, printVerdict, progressText } from './report.ts';
import { runShows } from './run-shows.ts';
import type { Screen } from './screen.ts';
import { Shop } from './shop.ts';
import { type DemoTelemetry, startTelemetry } from './telemetry.ts';
import { Workload } from './workload.ts';

/** Connections beside those of the workers, for the shows. */
const SPARE = 4;

/** The whole show, from opening to cleaning up. True when the money is right and all shows passed. */
export async function runDemo(
  options: DemoOptions,
  screen: Screen,
  interruption: Interruption,
): Promise<boolean> {
  await using telemetry = startTelemetry();
  await using target = await openTarget(options, screen);
  const workers = options.workers ?? (await usualWorkers(target));
  await using db = await target.open({
    name: 'demo',
    pool: { max: workers + SPARE },
    // Rows that everybody wants come free within milliseconds, so the first wait is short.
    retry: { baseDelayMs: 5, maxDelayMs: 200 },
  });
  const shop = new Shop(db);
  await greet(db, target, shop, workers, screen);
  try {
    await shop.build();
    const run = { ...options, workers, metrics: telemetry.metrics };
    return await work(db, target, shop, run, screen, interruption);
  } finally {
    await dropQuietly(shop, screen);
  }
}

async function usualWorkers(target: Target): Promise<number> {
  await using db = await target.open({});
  return engineWords(db.dialect.name).workers;
}

async function greet(
  db: Database,
  target: Target,
  shop: Shop,
  workers: number,
  screen: Screen,
): Promise<void> {
  if (db.pool.stats().max < workers + SPARE) {
    throw new ConfigError(
      `The demo needs ${workers + SPARE} connections, and this database can have ${db.pool.stats().max}. SQLite needs a file, not ":memory:", and runsIn "process".`,
      { code: 'DAL_DEMO_ENGINE', kind: 'usage' },
    );
  }
  const { flavor, serverVersion, driver, driverVersion } = await db.version();
  screen.line(
    `${screen.style('bold', `${flavor} ${serverVersion}`)} through ${driver} ${driverVersion} (${target.from})`,
  );
  screen.line(
    `${workers} workers move money between a few accounts that all of them want (tables ${shop.name}_*).`,
  );
  screen.line();
}

/** What happened before is what counts; tables that stay are only named. */
async function dropQuietly(shop: Shop, screen: Screen): Promise<void> {
  try {
    await shop.drop();
  } catch (error) {
    screen.line(`The tables ${shop.name}_* are still there: ${String(error)}`);
  }
}

async function work(
  db: Database,
  target: Target,
  shop: Shop,
  options: DemoOptions & {
    readonly workers: number;
    readonly metrics: DemoTelemetry['metrics'];
  },
  screen: Screen,
  { signal }: Interruption,
): Promise<boolean> {
  const words = engineWords(db.dialect.name);
  const workload = new Workload(db, shop, words, options.watch);
  const { server, open } = target;
  const stage = { db, words, shop, workload, signal, server, open };
  await using incidents = new Incidents(stage);
  using page = consoleHandler({ actions: true });
  await using endpoint = await openEndpoint(options.port, {
    '/metrics': options.metrics,
    ...(options.watch ? { '/incidents': incidents.answer } : {}),
    '/': page,
  });
  screen.line(`While it runs: console ${endpoint.url}, metrics ${endpoint.url}/metrics`);
  screen.line();
  const startedAt = performance.now();
  const figures = () => ({
    workload,
    stats: db.pool.stats(),
    seconds: (performance.now() - startedAt) / 1_000,
  });
  const drawing = setInterval(
    () => screen.progress(progressText(figures(), options.seconds, screen)),
    100,
  );
  let passed: boolean;
  workload.start(options.workers);
  try {
    passed = await runShows(stage, screen, options.seconds);
    if (options.watch && !signal.aborted) {
      screen.line(`Watching until Ctrl-C. What can go wrong: curl ${endpoint.url}/incidents`);
      screen.line();
      await untilEnd(workload, signal);
    }
    await incidents[Symbol.asyncDispose]();
  } finally {
    await workload.stop();
    clearInterval(drawing);
    screen.progress('');
  }
  printFigures(figures(), screen);
  screen.line(`Scaling: ${db.scaling().sentence}`);
  for (const failure of incidents.failures)
    printFailure(`An incident went wrong: ${failure}`, screen);
  if (workload.failure) {
    printFailure(`The work ended early: ${workload.failure.message}`, screen);
    return false;
  }
  const committed = workload.orders.count;
  const books = await audit(db, shop, committed);
  printVerdict(books, committed, screen);
  if (books.passed && !passed) printFailure('The money is right, but a show above failed.', screen);
  return books.passed && passed;
}

async function untilEnd(workload: Workload, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !workload.failure) {
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
}
