import { TimeHistogram } from './histogram.ts';

/** What is counted since the pool was made; see `PoolStats` for what each one means. */
export class PoolCounts {
  created = 0;
  destroyed = 0;
  recycled = 0;
  acquired = 0;
  released = 0;
  acquireFailures = 0;
  acquireTimeouts = 0;
  acquireRefused = 0;
  acquireSaturated = 0;
  connectErrors = 0;
  validationErrors = 0;
  lostConnections = 0;
  leaked = 0;
  peakLent = 0;
  retries = 0;
  statementTimeouts = 0;
  /** Only those who had to wait; the others are the rest of `acquired`. */
  readonly wait: TimeHistogram = new TimeHistogram();
  readonly use: TimeHistogram = new TimeHistogram();
  readonly create: TimeHistogram = new TimeHistogram();
}
