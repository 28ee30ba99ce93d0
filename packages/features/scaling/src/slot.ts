import type { DigestCounts } from './digest-table.ts';
import { LogHistogram } from './log-histogram.ts';

/** Of the digests of a slot only the greatest are kept when it is over. */
const MOST_DIGESTS = 20;

/** What happened on one pool in a stretch of time. */
export class Slot {
  ms = 0;
  acquired = 0;
  failed = 0;
  /** Time in which connections were lent, those that are still lent included. */
  lentMs = 0;
  /** Time that there could have been: how many there may be, times how long. */
  limitMs = 0;
  /** Loans that ended, and how long they were. */
  uses = 0;
  useMs = 0;
  loopActiveMs = 0;
  loopIdleMs = 0;
  /** By the buckets of the pool's own histogram. */
  waits: number[] = [];
  /** Time in which statements ran, those that still run included. */
  busyMs = 0;
  /** How long those took that ended. */
  attempts: LogHistogram | undefined;
  digests: Map<DigestCounts, number> = new Map();

  /** A statement has run for so long. */
  addBusy(counts: DigestCounts, ms: number): void {
    this.busyMs += ms;
    if (!counts.isOther) this.#addDigest(counts, ms);
  }

  recordAttempt(ms: number): void {
    (this.attempts ??= new LogHistogram(3)).record(ms);
  }

  /** It is over: what is too small to be ever told is forgotten. */
  seal(): void {
    if (this.digests.size <= MOST_DIGESTS) return;
    this.digests = new Map(
      [...this.digests].toSorted(([, a], [, b]) => b - a).slice(0, MOST_DIGESTS),
    );
  }

  add(other: Slot): void {
    for (const key of sums) this[key] += other[key];
    other.waits.forEach((count, place) => (this.waits[place] = (this.waits[place] ?? 0) + count));
    if (other.attempts) (this.attempts ??= new LogHistogram(3)).add(other.attempts);
    for (const [counts, ms] of other.digests) this.#addDigest(counts, ms);
  }

  #addDigest(counts: DigestCounts, ms: number): void {
    this.digests.set(counts, (this.digests.get(counts) ?? 0) + ms);
  }
}

const sums = [
  'ms',
  'acquired',
  'failed',
  'lentMs',
  'limitMs',
  'uses',
  'useMs',
  'loopActiveMs',
  'loopIdleMs',
  'busyMs',
] as const;
