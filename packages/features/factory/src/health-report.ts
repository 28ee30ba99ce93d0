import { isDalError } from '@dal/core';

/** What a sign of life was asked for, and what came. */
export interface HealthReport {
  /** `busy`: all connections are lent, so nobody could ask; the server may be well. */
  readonly status: 'up' | 'busy' | 'down';
  /** From the question to the answer, or to the end of waiting for it. */
  readonly responseTimeMs: number;
  readonly error: Error | undefined;
}

/** Asks, and reports; never rejects. */
export async function reportHealth(ping: () => Promise<void>): Promise<HealthReport> {
  const started = performance.now();
  try {
    await ping();
    return { status: 'up', responseTimeMs: performance.now() - started, error: undefined };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    return {
      status: isExhausted(error) ? 'busy' : 'down',
      responseTimeMs: performance.now() - started,
      error,
    };
  }
}

function isExhausted(error: unknown): boolean {
  const codes = ['DAL_POOL_TIMEOUT', 'DAL_POOL_QUEUE_FULL'];
  return isDalError(error) && codes.includes(error.code);
}
