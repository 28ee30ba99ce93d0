import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** How long one kind of operation took, in a histogram: its size does not grow with the count. */
export class Latencies {
  readonly #microseconds: RecordableHistogram = createHistogram({ figures: 3 });

  record(ms: number): void {
    this.#microseconds.record(Math.max(1, Math.round(ms * 1_000)));
  }

  get count(): number {
    return this.#microseconds.count;
  }

  /** Milliseconds that `percent` of all operations did not exceed; 0 when there was none. */
  percentile(percent: number): number {
    return this.count === 0 ? 0 : this.#microseconds.percentile(percent) / 1_000;
  }
}
