import { deadlineAfter, durationMs, isDalError, throwIfAborted } from '@dal/core';
import { uncarryError } from './carried-error.ts';
import { type Answer, type Place, sharedNow } from './messages.ts';
import type { SyncThread } from './sync-thread.ts';

/** Something in the worker that runs statements. */
export interface Remote {
  readonly thread: SyncThread;
  readonly place: Place;
}

/** An answer, and who gave it. */
export interface Sent {
  readonly answer: Exclude<Answer, { readonly kind: 'died' }>;
  readonly thread: SyncThread;
}

/** @throws what the worker answered with; `thrown` when that is what went there before */
export function valueOf(answer: Sent['answer'], thrown?: { readonly error: unknown }): unknown {
  if (answer.kind === 'value') return answer.value;
  if (answer.kind === 'error' && answer.own && thrown) throw thrown.error;
  if (answer.kind === 'error') throw uncarryError(answer.error);
  throw new Error(`The worker asked for ${answer.kind} where a value was expected.`);
}

/** What an answer other than a value means, with the stack of who called the verb. */
export function errorOf(answer: Sent['answer'], verb: (...args: never[]) => unknown): unknown {
  try {
    return valueOf(answer);
  } catch (error) {
    if (isDalError(error)) Error.captureStackTrace(error, verb);
    return error;
  }
}

/**
 * Options as they travel: the timeout as a moment, so that the way counts too. A signal can't fire
 * while its thread stands still; it counts when it was aborted before.
 */
export function travel<
  Options extends { readonly timeoutMs?: number | string; readonly signal?: AbortSignal },
>(
  options: Options,
): {
  readonly timeoutMs: number | undefined;
  readonly parts: { readonly options: Options; readonly endsAt: number | undefined };
} {
  const { timeoutMs: given, signal, ...rest } = options;
  throwIfAborted(deadlineAfter(Infinity, signal), 'The statement');
  const timeoutMs = given === undefined ? undefined : durationMs(given, 'timeoutMs');
  return {
    timeoutMs,
    parts: {
      options: rest as Options,
      endsAt: timeoutMs === undefined ? undefined : sharedNow() + timeoutMs,
    },
  };
}
