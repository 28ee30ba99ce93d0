import { type DalError, type Deadline, remainingMs, whenOver, within } from '@dal/core';
import type { OpenTransaction } from './open-transaction.ts';
import { tooLateError } from './transaction-errors.ts';

/** How long a caller whose time is over waits for the ROLLBACK. */
const GOODBYE_MS = 60;

/**
 * Runs work until the transaction's time is over or its signal is aborted. Then nothing is sent any
 * more, all is rolled back, and the caller is told, whatever the work is doing.
 */
export async function bounded<T>(open: OpenTransaction, work: () => Promise<T>): Promise<T> {
  const { runtime, settings } = open;
  const { deadline } = settings;
  if (deadline.at === Infinity && deadline.signal === undefined) return work();
  let stopWaiting = (): void => undefined;
  const over = new Promise<never>((_, reject) => {
    stopWaiting = onDeadline(open, (error) => {
      void within(GOODBYE_MS, open.rollback()).then(() => reject(error));
    });
  });
  try {
    return await Promise.race([work(), over]);
  } catch (error) {
    if (isLate(deadline)) await within(GOODBYE_MS, open.rollback());
    throw error === open.endedBy ? error : orTooLate(runtime.name, deadline, error);
  } finally {
    stopWaiting();
  }
}

/** Calls `then` when the time is over and nothing may be sent any more. @returns what ends the watch */
export function onDeadline(open: OpenTransaction, then: (error: DalError) => void): () => void {
  const { runtime, settings } = open;
  const { deadline } = settings;
  const stop = (): void => {
    const error = tooLateError(runtime.name, deadline);
    open.end(error);
    then(error);
  };
  return whenOver(deadline, stop, stop);
}

/** The earlier of a statement's deadline and its transaction's, ended by both signals. */
export function earlier(deadline: Deadline, outer: Deadline): Deadline {
  if (outer.at === Infinity && outer.signal === undefined) return deadline;
  const signals = [deadline.signal, outer.signal].filter((signal) => signal !== undefined);
  const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  const at = Math.min(deadline.at, outer.at);
  return { ...deadline, at, timeoutMs: at - deadline.startedAt, signal };
}

/** The error, or that the transaction's own time is over, when it is. */
export function orTooLate(name: string, deadline: Deadline, error: unknown): unknown {
  return isLate(deadline) ? tooLateError(name, deadline, error) : error;
}

function isLate(deadline: Deadline): boolean {
  return deadline.signal?.aborted === true || remainingMs(deadline) === 0;
}
