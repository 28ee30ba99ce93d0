import type { Histogram } from '@dal/core';

/** Upper ends of the buckets, in milliseconds; what is longer falls into one more. */
const BOUNDS_MS: readonly number[] = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];

/** Counts lengths of time; a record costs a few nanoseconds and no memory. */
export class TimeHistogram {
  readonly #counts = new Uint32Array(BOUNDS_MS.length + 1);
  /** Sum and longest: an array of doubles, as a field would be made anew by each record. */
  readonly #sums = new Float64Array(2);

  record(ms: number): void {
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && ms > (BOUNDS_MS[bucket] as number)) bucket++;
    (this.#counts[bucket] as number)++;
    (this.#sums[0] as number) += ms;
    if (ms > (this.#sums[1] as number)) this.#sums[1] = ms;
  }

  /** @param atOnce how many more took no time worth a record */
  read(atOnce = 0): Histogram {
    const counts = [...this.#counts];
    (counts[0] as number) += atOnce;
    return {
      boundsMs: BOUNDS_MS,
      counts,
      count: counts.reduce((sum, count) => sum + count, 0),
      sumMs: this.#sums[0] as number,
      maxMs: this.#sums[1] as number,
    };
  }
}
