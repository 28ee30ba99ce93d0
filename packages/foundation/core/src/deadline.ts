import { readClock } from './clock.ts';
import type { QueryMessage, TransactionMessage } from './channels.ts';
import { QueryError, type DalError } from './errors.ts';

/** One moment by which something must have ended; carried down, never extended. */
export interface Deadline {
  /** When the call began; on the clock of `performance.now()`, as `at`. */
  readonly startedAt: number;
  /** On the clock of `performance.now()`; Infinity when there is none. */
  readonly at: number;
  /** The length it was made from, for messages. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** The call that it bounds, for those who listen on the channels; undefined while nobody does. */
  readonly call: QueryMessage | TransactionMessage | undefined;
}

export function deadlineAfter(
  timeoutMs: number,
  signal?: AbortSignal,
  call?: Deadline['call'],
): Deadline {
  const startedAt = readClock();
  return { startedAt, at: startedAt + timeoutMs, timeoutMs, signal, call };
}

/** The earlier of the deadline and `timeoutMs` from now, with the same signal and call. */
export function sooner(deadline: Deadline, timeoutMs: number, now: number = readClock()): Deadline {
  const at = now + timeoutMs;
  if (at >= deadline.at) return deadline;
  return { startedAt: now, at, timeoutMs, signal: deadline.signal, call: deadline.call };
}

export function remainingMs(deadline: Deadline): number {
  return deadline.at === Infinity ? Infinity : Math.max(0, deadline.at - performance.now());
}

/** Throws when the signal was aborted already, before anything is done. */
export function throwIfAborted(deadline: Deadline, what: string): void {
  if (deadline.signal?.aborted) throw abortError(deadline.signal, what);
}

/**
 * The error for an aborted call; the signal's reason is its cause.
 *
 * @param applied `unknown` when it had been sent, and nobody knows what became of it
 */
export function abortError(
  signal: AbortSignal,
  what: string,
  applied: 'no' | 'unknown' = 'no',
): DalError {
  const outcome = applied === 'unknown' ? ' Whether it took effect is unknown.' : '';
  return new QueryError(`${what} was aborted by its signal.${outcome}`, {
    kind: 'cancelled',
    code: 'DAL_ABORTED',
    cause: signal.reason,
    fault: { kind: 'cancelled', applied },
  });
}

/** Waits; ends early, with a rejection, when the signal is aborted. Never longer than the deadline. */
export function sleepWithin(deadline: Deadline, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const { signal } = deadline;
    const stop = (): void => {
      clearTimeout(timer);
      if (signal) reject(abortError(signal, 'Waiting for another attempt'));
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      },
      Math.min(ms, remainingMs(deadline)),
    );
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
