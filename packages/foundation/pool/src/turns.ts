import { abortError, type Deadline, QueryError, remainingMs } from '@dal/core';
import type { Session } from './session.ts';

/**
 * A session runs one statement at a time; the others wait their turn, in order, so that
 * `Promise.all` on one connection is safe. Undefined when the turn is free at once; rejects, and
 * leaves the queue, when the deadline passes first.
 */
export function takeTurn(session: Session, deadline?: Deadline): Promise<void> | undefined {
  if (!session.busy) {
    session.busy = true;
    return undefined;
  }
  if (deadline === undefined) return new Promise((resolve) => session.turns.push(resolve));
  return waitForTurn(session, deadline);
}

/** To the next in the queue; after a stopped statement only when its cancel can't hit another any more. */
export function giveTurn(session: Session): void {
  if (session.settling) {
    void session.settling.then(() => giveTurn(session));
    return;
  }
  const next = session.turns.shift();
  if (next) next();
  else session.busy = false;
}

function waitForTurn({ turns }: Session, deadline: Deadline): Promise<void> {
  return new Promise((resolve, reject) => {
    const { signal } = deadline;
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const turn = (): void => {
      settle();
      resolve();
    };
    const leave = (error: Error): void => {
      settle();
      turns.splice(turns.indexOf(turn), 1);
      reject(error);
    };
    const onAbort = (): void => leave(abortError(signal as AbortSignal, 'The statement'));
    const left = remainingMs(deadline);
    const timer = left === Infinity ? undefined : setTimeout(() => leave(tooLate(deadline)), left);
    signal?.addEventListener('abort', onAbort, { once: true });
    turns.push(turn);
    if (signal?.aborted) onAbort();
  });
}

function tooLate({ timeoutMs }: Deadline): QueryError {
  return new QueryError(
    `The statement had to wait for others on the same connection until its ${Math.round(timeoutMs)} ms were over; it was never sent.`,
    {
      kind: 'statementTimeout',
      code: 'DAL_STATEMENT_TIMEOUT',
      fault: { kind: 'statementTimeout', applied: 'no' },
    },
  );
}
