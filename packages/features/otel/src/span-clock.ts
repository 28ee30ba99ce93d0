import type { HrTime } from './open-telemetry.ts';

/** From the clock of `performance.now()` to that of the world. */
export type SpanClock = (ms: number) => HrTime;

/**
 * The clocks drift apart in a long life, so they are compared again for each call; but all parts of a
 * call go by one comparison, or a child might begin before its parent.
 */
export function newClock(): SpanClock {
  const offsetMs = Date.now() - performance.now();
  return (ms) => {
    const now = ms + offsetMs;
    const seconds = Math.floor(now / 1_000);
    return [seconds, Math.floor((now - seconds * 1_000) * 1e6)];
  };
}
