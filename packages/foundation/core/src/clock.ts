import { performance } from 'node:perf_hooks';

/**
 * The moment, in milliseconds on the clock of `performance.now()`. For what every call passes through:
 * the global of that name is a getter that V8 asks anew each time, and that cost a loan from the pool
 * 20 ns of its 350.
 */
export function readClock(): number {
  return performance.now();
}
