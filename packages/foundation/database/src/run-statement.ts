// The life of a query, top to bottom: deadline, retry, acquire, send, classify, release.
import {
  abortError,
  ConnectionError,
  type DalError,
  type Deadline,
  type DriverConnection,
  type NativeResult,
  type NativeStatement,
  QueryError,
  remainingMs,
  sleepWithin,
  sooner,
  throwIfAborted,
  within,
} from '@dal/core';
import { giveTurn, type Lease, noticeLoss, type Session, takeTurn } from '@dal/pool';
import { backoff, retryVerdict } from '@dal/resilience';
import type { CompiledStatement } from './compile-statement.ts';
import type { Runtime } from './runtime.ts';
import { stopStatement } from './stop-statement.ts';
import { toDalError } from './to-dal-error.ts';

/** Runs a statement by itself, on a connection of the pool. Repeats it only where that is safe. */
export async function runStatement(
  runtime: Runtime,
  statement: CompiledStatement,
  deadline: Deadline,
  idempotent: boolean,
): Promise<NativeResult> {
  let nextDelay: (() => number) | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnPool(runtime, statement, deadline);
    } catch (thrown) {
      const error = toDalError(runtime.driver, runtime.name, thrown, statement.shown);
      const { retry } = runtime.settings;
      const may =
        error.fault !== undefined &&
        attempt <= retry.maxRetries &&
        retryVerdict(error.fault, { autocommit: true, idempotent });
      if (!may) throw error;
      nextDelay ??= backoff(retry);
      const delay = nextDelay();
      if (delay >= remainingMs(deadline)) throw error;
      runtime.pool.count('retries');
      await sleepWithin(deadline, delay);
    }
  }
}

async function runOnPool(
  runtime: Runtime,
  statement: CompiledStatement,
  deadline: Deadline,
): Promise<NativeResult> {
  const lease = await acquireLease(runtime, deadline, 'statement');
  try {
    return await runOnLease(runtime, lease, statement, deadline);
  } finally {
    giveBack(runtime, lease);
  }
}

/** Waits for a connection no longer than the pool's own limit or the deadline, whichever is sooner. */
export function acquireLease(
  runtime: Runtime,
  deadline: Deadline,
  purpose?: 'statement',
): Promise<Lease> {
  return runtime.pool.acquire(sooner(deadline, runtime.settings.pool.acquireTimeoutMs), purpose);
}

/** The caller's answer doesn't wait until the session is put in order; the next borrower does. */
export function giveBack(runtime: Runtime, lease: Lease): void {
  // Cleaning is bounded and never rejects.
  void runtime.pool.release(lease);
}

/** Runs a statement on a lent connection, when its turn has come. Never repeats it. */
export async function runOnLease(
  runtime: Runtime,
  lease: Lease,
  statement: CompiledStatement,
  deadline: Deadline,
  call: StatementCall = viaQuery,
): Promise<NativeResult> {
  const { session } = lease;
  const turn = takeTurn(session);
  if (turn) await turn;
  try {
    if (session.settling) await session.settling;
    throwIfAborted(deadline, 'The statement');
    if (session.lost) throw lostBefore(runtime, session);
    lease.lastStatement = statement.shown;
    if (statement.touchesSession) session.dirty = true;
    return await send(runtime, session, statement, deadline, call);
  } catch (thrown) {
    const error = toDalError(runtime.driver, runtime.name, thrown, statement.shown);
    // Some ends are noticed only by the statement that met them.
    if (error.fault?.connectionLost) noticeLoss(session, error);
    throw error;
  } finally {
    lease.lastUsedAt = performance.now();
    giveTurn(session);
  }
}

/** What is asked of the driver; nearly always `query`. */
export type StatementCall = (
  connection: DriverConnection,
  statement: NativeStatement,
) => Promise<NativeResult>;

const viaQuery: StatementCall = (connection, statement) => connection.query(statement);

/** One statement on the wire, ended by its answer, its deadline or its signal. */
function send(
  runtime: Runtime,
  session: Session,
  statement: CompiledStatement,
  deadline: Deadline,
  call: StatementCall,
): Promise<NativeResult> {
  const { signal } = deadline;
  return new Promise((resolve, reject) => {
    let stopping = false;
    const ended = call(session.connection, statement);
    const cleanUp = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    ended.then(
      (result) => {
        if (stopping) return;
        cleanUp();
        resolve(result);
      },
      (error: unknown) => {
        if (stopping) return;
        cleanUp();
        reject(error);
      },
    );
    const stop = (why: (applied: 'no' | 'unknown') => DalError): void => {
      stopping = true;
      cleanUp();
      void answerAfterStop(session, ended, why).then(resolve, reject);
    };
    const onTimeout = (): void => {
      runtime.pool.count('statementTimeouts');
      stop((applied) => timeoutError(runtime, statement, deadline, applied));
    };
    const onAbort = (): void => stop(() => abortError(signal as AbortSignal, 'The statement'));
    const left = remainingMs(deadline);
    const timer = left === Infinity ? undefined : setTimeout(onTimeout, Math.max(1, left));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** How long the caller waits to learn what became of a stopped statement. */
const VERDICT_MS = 80;

/**
 * What the caller of a stopped statement is told. A change that was made after all is reported as
 * made: calling it a timeout would invite a second one.
 */
async function answerAfterStop(
  session: Session,
  ended: Promise<NativeResult>,
  why: (applied: 'no' | 'unknown') => DalError,
): Promise<NativeResult> {
  const stopped = stopStatement(
    session,
    ended.catch(() => undefined),
  );
  let answer: NativeResult | undefined;
  let refused = false;
  const verdict = ended.then(
    (result) => {
      answer = result;
    },
    () => {
      refused = session.lost === undefined;
    },
  );
  await within(VERDICT_MS, Promise.all([verdict, stopped]));
  if (answer && answer.affectedRows > 0) return answer;
  throw why(answer !== undefined || refused ? 'no' : 'unknown');
}

function timeoutError(
  runtime: Runtime,
  { shown }: CompiledStatement,
  { timeoutMs }: Deadline,
  applied: 'no' | 'unknown',
): DalError {
  const outcome =
    applied === 'no'
      ? 'The server stopped it; nothing of it stays.'
      : 'It was told to stop; whether it took effect is unknown.';
  return new QueryError(
    `The statement was stopped after ${Math.round(timeoutMs)} ms on "${runtime.name}". ${outcome} Statement: ${shown.slice(0, 200)}`,
    {
      kind: 'statementTimeout',
      code: 'DAL_STATEMENT_TIMEOUT',
      fault: { kind: 'statementTimeout', applied },
    },
  );
}

function lostBefore(runtime: Runtime, session: Session): DalError {
  return new ConnectionError(
    `The connection to "${runtime.name}" was lost before the statement was sent.`,
    {
      kind: 'connection',
      code: 'DAL_CONNECTION_LOST',
      cause: session.lost,
      fault: { kind: 'connection', connectionLost: true, applied: 'no' },
    },
  );
}
