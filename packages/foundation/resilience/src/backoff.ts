import { ExponentialBackoff, noJitterGenerator } from 'cockatiel';

export interface BackoffOptions {
  /** The first wait is at most this long. Default: 100 ms. */
  readonly baseDelayMs?: number;
  /** No wait is longer. Default: 10 s. */
  readonly maxDelayMs?: number;
}

/**
 * Waits between attempts: doubled each time, then a random part of it ("full jitter"), so that
 * clients that failed together don't come back together.
 */
export function backoff({
  baseDelayMs = 100,
  maxDelayMs = 10_000,
}: BackoffOptions = {}): () => number {
  const steps = new ExponentialBackoff({
    initialDelay: baseDelayMs,
    maxDelay: maxDelayMs,
    generator: noJitterGenerator,
  });
  let step: { readonly duration: number; next(context: undefined): typeof step } | undefined;
  return () => {
    step = step ? step.next(undefined) : steps.next();
    return Math.random() * (step?.duration ?? baseDelayMs);
  };
}
