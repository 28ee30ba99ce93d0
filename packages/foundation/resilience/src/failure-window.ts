/** Counts failures of the last `windowMs`, exactly, in the memory of `limit` numbers. */
export class FailureWindow {
  /** When the last `limit` failures were, in a circle. */
  readonly #times: Float64Array;
  readonly #windowMs: number;
  #next = 0;
  #count = 0;

  constructor(limit: number, windowMs: number) {
    this.#times = new Float64Array(limit);
    this.#windowMs = windowMs;
  }

  /** Adds a failure; true when this makes `limit` of them within the window. */
  add(now: number): boolean {
    const limit = this.#times.length;
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % limit;
    this.#count = Math.min(limit, this.#count + 1);
    // In a full circle the next place holds the oldest.
    return this.#count === limit && now - (this.#times[this.#next] ?? 0) < this.#windowMs;
  }

  clear(): void {
    this.#count = 0;
  }
}
