// What a pool costs by itself: acquire and release over sessions that do nothing, beside a bare
// queue and beside tarn.
//
//   node --conditions=@dal/source apps/bench/src/checkout.ts [--seconds 15]
import { parseArgs } from 'node:util';
import { deadlineAfter } from '@dal/core';
import { type Lease, Pool, readPoolOptions } from '@dal/pool';
import { Pool as Tarn } from 'tarn';
import { BareFifo } from './bare-fifo.ts';
import { interleave, quantile, quartiles, ratios, showRatio } from './rounds.ts';
import { runProgram } from './run-program.ts';
import { stillDriver } from './still-driver.ts';
import { table } from './table.ts';

const SESSIONS = 20;
const ACQUIRE_TIMEOUT_MS = 10_000;
const ROUNDS = 25;
const CALLERS = [1, 20, 200];
const MOST_SAMPLES = 5_000;

interface Contender<Held = unknown> {
  readonly name: string;
  acquire(): Promise<Held>;
  release(held: Held): void;
  close(): Promise<unknown>;
}

runProgram(main);

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: 'string' } } });
  const seconds = Number(values.seconds ?? 15);
  if (!(seconds >= 1 && seconds <= 3_600)) throw new Error('--seconds is a number from 1 to 3600.');
  const fifo = bareFifo();
  const contenders = [fifo, dalPool('dal'), dalPool('dal, no stacks', 'never'), tarn()];
  console.log(`$ node --conditions=@dal/source src/checkout.ts --seconds ${seconds}`);
  console.log(
    `Node ${process.version}, tarn 3.1.2, ${SESSIONS} sessions, ${ROUNDS} interleaved rounds; median (quartiles)\n`,
  );
  try {
    for (const contender of contenders) await fill(contender);
    const sliceMs = (seconds * 1_000) / contenders.length / (CALLERS.length + 1) / (ROUNDS + 3);
    await printLatency(contenders, sliceMs);
    for (const callers of CALLERS) await printThroughput(contenders, fifo, callers, sliceMs);
  } finally {
    await Promise.all(contenders.map((contender) => contender.close()));
  }
}

async function printLatency(contenders: readonly Contender[], sliceMs: number): Promise<void> {
  const all = [clockAlone, ...contenders.map((contender) => () => latency(contender, sliceMs))];
  const names = ['the clock alone', ...contenders.map(({ name }) => name)];
  await interleave(all, 3, (measure) => Promise.resolve(measure()));
  const measured = await interleave(all, ROUNDS, (measure) => Promise.resolve(measure()));
  const rows = all.map((one, index) => {
    const rounds = measured.get(one)!;
    const [p50, p95] = [0, 1].map((part) =>
      quartiles(rounds.map((round) => round[part]!)).median.toFixed(0),
    );
    return [names[index]!, p50!, p95!];
  });
  console.log(table(['1 caller, clock included', 'p50 ns', 'p95 ns'], rows));
}

async function printThroughput(
  contenders: readonly Contender[],
  fifo: Contender,
  callers: number,
  sliceMs: number,
): Promise<void> {
  await interleave(contenders, 3, (one) => perSecond(one, callers, sliceMs));
  const measured = await interleave(contenders, ROUNDS, (one) => perSecond(one, callers, sliceMs));
  const rows = contenders.map((one) => [
    one.name,
    Math.round(1e9 / quartiles(measured.get(one)!).median).toLocaleString('en'),
    showRatio(quartiles(ratios(measured.get(one)!, measured.get(fifo)!))),
  ]);
  const head = `${callers} ${callers === 1 ? 'caller' : 'callers'} over ${SESSIONS} sessions`;
  console.log(`\n${table([head, 'ns a checkout', '/ bare queue'], rows)}`);
}

/** @returns p50 and p95, in nanoseconds */
async function latency(contender: Contender, ms: number): Promise<[number, number]> {
  const ends = performance.now() + ms;
  const samples = new Float64Array(MOST_SAMPLES);
  let count = 0;
  for (; count < MOST_SAMPLES; count++) {
    const began = performance.now();
    if (began >= ends && count > 0) break;
    contender.release(await contender.acquire());
    samples[count] = performance.now() - began;
  }
  return percentiles(samples.subarray(0, count));
}

function clockAlone(): [number, number] {
  const samples = new Float64Array(MOST_SAMPLES);
  for (let count = 0; count < MOST_SAMPLES; count++) {
    const began = performance.now();
    samples[count] = performance.now() - began;
  }
  return percentiles(samples);
}

function percentiles(samples: Float64Array): [number, number] {
  const sorted = samples.toSorted();
  return [quantile(sorted, 0.5) * 1e6, quantile(sorted, 0.95) * 1e6];
}

/** @returns checkouts a second */
async function perSecond(contender: Contender, callers: number, ms: number): Promise<number> {
  const began = performance.now();
  let checkouts = 0;
  let over = false;
  const callOn = async (): Promise<void> => {
    while (!over) {
      contender.release(await contender.acquire());
      // The clock costs as much as the cheapest checkout, so it is not read at each.
      if (++checkouts % 64 === 0) over = performance.now() - began >= ms;
    }
  };
  await Promise.all(Array.from({ length: callers }, callOn));
  return (checkouts * 1_000) / (performance.now() - began);
}

/** Opens every session, so that none is opened while the clock runs. */
async function fill(contender: Contender): Promise<void> {
  const held = await Promise.all(Array.from({ length: SESSIONS }, () => contender.acquire()));
  for (const one of held) contender.release(one);
}

function bareFifo(): Contender {
  const fifo = new BareFifo(Array.from({ length: SESSIONS }, () => ({})));
  const contender: Contender<object> = {
    name: 'bare queue',
    acquire: () => fifo.acquire(),
    release: (resource) => fifo.release(resource),
    close: () => Promise.resolve(),
  };
  return contender;
}

function dalPool(name: string, acquireStacks: 'sampled' | 'never' = 'sampled'): Contender {
  const settings = readPoolOptions({ max: SESSIONS, acquireStacks });
  const pool = new Pool({ name, driver: stillDriver, options: {}, settings });
  const contender: Contender<Lease> = {
    name,
    acquire: () => pool.acquire(deadlineAfter(ACQUIRE_TIMEOUT_MS)),
    release: (lease) => void pool.release(lease),
    close: () => pool.close(1_000),
  };
  return contender;
}

function tarn(): Contender {
  const pool = new Tarn<object>({
    create: () => ({}),
    destroy: () => undefined,
    min: 0,
    max: SESSIONS,
    acquireTimeoutMillis: ACQUIRE_TIMEOUT_MS,
  });
  const contender: Contender<object> = {
    name: 'tarn',
    acquire: () => pool.acquire().promise,
    release: (resource) => void pool.release(resource),
    close: () => pool.destroy(),
  };
  return contender;
}
