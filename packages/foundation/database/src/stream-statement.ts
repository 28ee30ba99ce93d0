import {
  abortError,
  type Deadline,
  deadlineAfter,
  durationMs,
  QueryError,
  remainingMs,
  type StreamOptions,
  throwIfAborted,
} from '@dal/core';
import {
  destroySession,
  giveTurn,
  type Lease,
  noticeLoss,
  type Session,
  takeTurn,
} from '@dal/pool';
import type { CompiledStatement } from './compile-statement.ts';
import { acquireLease, giveBack } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { toDalError } from './to-dal-error.ts';

/** Streams on a connection of the pool, which is lent for as long as the loop runs. */
export async function* streamOnPool(
  runtime: Runtime,
  statement: CompiledStatement,
  batchSize: number,
  options: StreamOptions | undefined,
): AsyncGenerator<unknown[], void, undefined> {
  const lease = await acquireLease(
    runtime,
    deadlineAfter(runtime.settings.pool.acquireTimeoutMs, options?.signal),
  ).catch((error: unknown) => {
    throw toDalError(runtime.driver, runtime.name, error);
  });
  try {
    yield* streamOnLease(runtime, lease, statement, batchSize, options);
  } finally {
    giveBack(runtime, lease);
  }
}

/**
 * Streams on a lent connection. `timeoutMs` counts for the whole stream when it is given; else each
 * batch has the statement's time.
 */
export async function* streamOnLease(
  runtime: Runtime,
  lease: Lease,
  statement: CompiledStatement,
  batchSize: number,
  options: StreamOptions | undefined,
): AsyncGenerator<unknown[], void, undefined> {
  const { session } = lease;
  const whole =
    options?.timeoutMs === undefined
      ? undefined
      : deadlineAfter(durationMs(options.timeoutMs, 'timeoutMs'), options.signal);
  const turn = takeTurn(session);
  if (turn) await turn;
  let finished = false;
  let iterator: AsyncIterator<unknown[]> | undefined;
  try {
    if (session.settling) await session.settling;
    lease.lastStatement = statement.shown;
    if (statement.touchesSession) session.dirty = true;
    iterator = batches(session, statement, batchSize)[Symbol.asyncIterator]();
    for (;;) {
      const deadline = whole ?? deadlineAfter(runtime.settings.statementTimeoutMs, options?.signal);
      throwIfAborted(deadline, 'The stream');
      const step = await nextWithin(runtime, session, iterator, deadline);
      lease.lastUsedAt = performance.now();
      if (step.done) break;
      if (step.value.length > 0) yield step.value;
    }
    finished = true;
  } catch (thrown) {
    const error = toDalError(runtime.driver, runtime.name, thrown, statement.shown);
    if (error.fault?.connectionLost) noticeLoss(session, error);
    finished = session.lost !== undefined;
    throw error;
  } finally {
    // Left early: the driver frees the session, so that the next statement finds it ready.
    if (!finished && !session.lost) await iterator?.return?.().catch(() => destroySession(session));
    giveTurn(session);
  }
}

function batches(
  session: Session,
  statement: CompiledStatement,
  batchSize: number,
): AsyncIterable<unknown[]> {
  return session.connection.stream
    ? session.connection.stream(statement, batchSize)
    : wholeResult(session, statement, batchSize);
}

/** For drivers that can't stream: the result is in memory once, and is handed out in batches. */
async function* wholeResult(
  { connection }: Session,
  statement: CompiledStatement,
  batchSize: number,
): AsyncGenerator<unknown[], void, undefined> {
  const { rows } = await connection.query(statement);
  for (let start = 0; start < rows.length; start += batchSize) {
    yield rows.slice(start, start + batchSize);
  }
}

/** The next batch, or the end of the session when it doesn't come in time. */
function nextWithin(
  runtime: Runtime,
  session: Session,
  iterator: AsyncIterator<unknown[]>,
  deadline: Deadline,
): Promise<IteratorResult<unknown[], unknown>> {
  return new Promise((resolve, reject) => {
    const { signal } = deadline;
    const cleanUp = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (error: Error): void => {
      cleanUp();
      // Cancel first, so that the server stops too; a stream that was cut in the middle is not reused.
      void (session.connection.cancel?.() ?? Promise.resolve())
        .catch(() => undefined)
        .finally(() => destroySession(session));
      session.lost ??= error;
      reject(error);
    };
    const onAbort = (): void => giveUp(abortError(signal as AbortSignal, 'The stream'));
    const left = remainingMs(deadline);
    const timer =
      left === Infinity
        ? undefined
        : setTimeout(() => giveUp(tooLate(runtime, deadline)), Math.max(1, left));
    signal?.addEventListener('abort', onAbort, { once: true });
    iterator.next().then(
      (step) => {
        cleanUp();
        resolve(step as IteratorResult<unknown[], unknown>);
      },
      (error: unknown) => {
        cleanUp();
        reject(error);
      },
    );
  });
}

function tooLate(runtime: Runtime, { timeoutMs }: Deadline): QueryError {
  return new QueryError(
    `The stream was stopped on "${runtime.name}": no batch came within ${Math.round(timeoutMs)} ms.`,
    { kind: 'statementTimeout', code: 'DAL_STATEMENT_TIMEOUT' },
  );
}
