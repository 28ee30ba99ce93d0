/** 2^32 microseconds are 71 minutes; what is longer is counted as that. */
const HIGHEST = 2 ** 32 - 1;

/**
 * Counts lengths of time in buckets that grow with them: each power of two of microseconds has as many
 * as the next, so an answer is never off by more than one part in `2 ** bits`. Without memory for each
 * record, and cheap.
 */
export class LogHistogram {
  count = 0;
  readonly #bits: number;
  readonly #counts: Uint32Array;

  /** @param bits 5 are 32 buckets for each power of two, and 3.5 KiB */
  constructor(bits: number = 5) {
    this.#bits = bits;
    this.#counts = new Uint32Array((33 - bits) << bits);
  }

  record(ms: number): void {
    const us = ms > 0 ? Math.min(Math.round(ms * 1_000), HIGHEST) : 0;
    (this.#counts[this.#placeOf(us)] as number)++;
    this.count++;
  }

  add(other: LogHistogram): void {
    other.#counts.forEach((count, place) => ((this.#counts[place] as number) += count));
    this.count += other.count;
  }

  /** So many of all (0.95) took no longer; the upper end of their bucket. Undefined without any. */
  quantileMs(share: number): number | undefined {
    let left = Math.max(1, Math.ceil(share * this.count));
    for (let place = 0; place < this.#counts.length; place++) {
      left -= this.#counts[place] as number;
      if (left <= 0) return this.#endOf(place) / 1_000;
    }
    return undefined;
  }

  #placeOf(us: number): number {
    const shift = 31 - Math.clz32(us) - this.#bits;
    return shift <= 0
      ? us
      : ((shift + 1) << this.#bits) + ((us >>> shift) & ((1 << this.#bits) - 1));
  }

  #endOf(place: number): number {
    const shift = (place >>> this.#bits) - 1;
    if (shift <= 0) return place;
    const step = (place & ((1 << this.#bits) - 1)) + (1 << this.#bits);
    return (step + 1) * 2 ** shift - 1;
  }
}
