import { type CheckoutContender, checkoutContenders } from './checkout-contenders.ts';
import { heapAWaiter } from './heap-a-waiter.ts';
import type { Arguments } from './read-arguments.ts';
import { interleave, quantile, quartiles, type Quartiles, ratios } from './rounds.ts';
import { showCheckout } from './show-checkout.ts';

const RESOURCES = 20;
const WARM_UP_ROUNDS = 3;
const MOST_SAMPLES = 5_000;
const MOST_HEAP_ROUNDS = 3;

/** What `pnpm bench checkout --json` prints. */
export interface CheckoutFigures {
  readonly resources: number;
  readonly rounds: number;
  readonly contenders: readonly CheckoutResult[];
  readonly aims: readonly CheckoutVerdict[];
}

export interface CheckoutResult {
  readonly name: string;
  readonly side: CheckoutContender['side'];
  /** Microseconds for one caller, from asking to giving back; the clock's own time is taken off. */
  readonly p50Us: Quartiles;
  readonly p95Us: Quartiles;
  /** Bytes of heap that one waiting caller takes. */
  readonly waiterBytes: Quartiles;
  readonly throughput: readonly Throughput[];
}

export interface Throughput {
  readonly callers: number;
  /**
   * Nanoseconds of processor time a checkout. Nothing here waits for anything else, so on a machine of
   * one's own that is the time it takes; on a shared one it says nothing of the others.
   */
  readonly ns: Quartiles;
  /** Checkouts a second of that time, divided by those of the bare queue in the same round. */
  readonly toFloor: Quartiles;
  /** Those of `dal` in the same round, divided by these. */
  readonly dalToIt: Quartiles;
}

export interface CheckoutVerdict {
  readonly aim: string;
  readonly verdict: 'met' | 'close' | 'missed';
  readonly got: Quartiles;
}

type Contender = CheckoutContender;

/** Pools alone: resources that do nothing, everybody in every round. */
export async function checkout(
  { callers, rounds, sliceMs }: Arguments,
  say: (text: string) => void,
): Promise<CheckoutFigures> {
  const contenders = checkoutContenders(RESOURCES);
  try {
    for (const contender of contenders) await fill(contender);
    const latencies = await measureLatency(contenders, rounds, sliceMs);
    const byCallers = new Map<number, ReadonlyMap<Contender, readonly number[]>>();
    for (const count of callers) {
      byCallers.set(count, await measureThroughput(contenders, count, rounds, sliceMs));
    }
    // Last: what so many waiters leave behind must not be part of the speed.
    const bytes = await interleave(contenders, Math.min(rounds, MOST_HEAP_ROUNDS), (one) =>
      heapAWaiter(one, RESOURCES),
    );
    const floor = contenders.find(({ side }) => side === 'floor')!;
    const dal = contenders.find(({ name }) => name === 'dal')!;
    const results = contenders.map((one): CheckoutResult => {
      const { p50, p95 } = latencies.get(one)!;
      return {
        name: one.name,
        side: one.side,
        p50Us: p50,
        p95Us: p95,
        waiterBytes: quartiles(bytes.get(one)!),
        throughput: [...byCallers].map(([count, measured]) => ({
          callers: count,
          ns: quartiles(measured.get(one)!.map((speed) => 1e9 / speed)),
          toFloor: quartiles(ratios(measured.get(one)!, measured.get(floor)!)),
          dalToIt: quartiles(ratios(measured.get(dal)!, measured.get(one)!)),
        })),
      };
    });
    const figures = { resources: RESOURCES, rounds, contenders: results, aims: judge(results) };
    say(showCheckout(figures));
    return figures;
  } finally {
    await Promise.all(contenders.map((contender) => contender.close()));
  }
}

const MOST_WAITER_BYTES = 600;

/** At least as fast as the fastest of the others, and light to wait for. */
function judge(results: readonly CheckoutResult[]): CheckoutVerdict[] {
  const rivals = results.filter(({ side }) => side === 'rival');
  const dal = results.find(({ name }) => name === 'dal')!;
  const speeds = dal.throughput.map(({ callers }, at): CheckoutVerdict => {
    const [fastest] = rivals.toSorted(
      (a, b) => a.throughput[at]!.ns.median - b.throughput[at]!.ns.median,
    );
    const got = fastest!.throughput[at]!.dalToIt;
    const aim = `${callers} ${callers === 1 ? 'caller' : 'callers'}: dal at least 1 x ${fastest!.name}, the fastest of the others`;
    return { aim, got, verdict: verdictOf(got.median >= 1, got.high >= 1) };
  });
  const got = dal.waiterBytes;
  const isLight = verdictOf(got.median < MOST_WAITER_BYTES, got.low < MOST_WAITER_BYTES);
  return [
    ...speeds,
    { aim: `less than ${MOST_WAITER_BYTES} bytes a waiter`, got, verdict: isLight },
  ];
}

function verdictOf(median: boolean, better: boolean): CheckoutVerdict['verdict'] {
  if (median) return 'met';
  return better ? 'close' : 'missed';
}

interface Latency {
  readonly p50: Quartiles;
  readonly p95: Quartiles;
}

async function measureLatency(
  contenders: readonly Contender[],
  rounds: number,
  sliceMs: number,
): Promise<ReadonlyMap<Contender, Latency>> {
  const all = [...contenders, undefined];
  const measure = (one: Contender | undefined): Promise<[number, number]> =>
    one ? latency(one, sliceMs) : Promise.resolve(clockAlone());
  await interleave(all, WARM_UP_ROUNDS, measure);
  const measured = await interleave(all, rounds, measure);
  const clock = measured.get(undefined)!;
  return new Map(
    contenders.map((one) => {
      const less = (part: 0 | 1): Quartiles =>
        quartiles(measured.get(one)!.map((both, round) => both[part] - clock[round]![0]));
      return [one, { p50: less(0), p95: less(1) }];
    }),
  );
}

async function measureThroughput(
  contenders: readonly Contender[],
  callers: number,
  rounds: number,
  sliceMs: number,
): Promise<ReadonlyMap<Contender, readonly number[]>> {
  await interleave(contenders, WARM_UP_ROUNDS, (one) => perSecond(one, callers, sliceMs));
  return interleave(contenders, rounds, (one) => perSecond(one, callers, sliceMs));
}

/** @returns p50 and p95, in microseconds */
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
  return [quantile(sorted, 0.5) * 1e3, quantile(sorted, 0.95) * 1e3];
}

/** @returns checkouts in a second of processor time */
async function perSecond(contender: Contender, callers: number, ms: number): Promise<number> {
  const cpuBefore = process.cpuUsage();
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
  const { user, system } = process.cpuUsage(cpuBefore);
  return (checkouts * 1e6) / (user + system);
}

/** Makes every resource, so that none is made while the clock runs. */
async function fill(contender: Contender): Promise<void> {
  const held = await Promise.all(Array.from({ length: RESOURCES }, () => contender.acquire()));
  for (const one of held) contender.release(one);
}
