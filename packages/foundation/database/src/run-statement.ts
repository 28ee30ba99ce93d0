// The life of a query, top to bottom: deadline, retry, acquire, send, classify, release.
import {
  abortError,
  type AttemptMessage,
  channels,
  ConnectionError,
  type DalError,
  type Deadline,
  deadlines,
  type DriverConnection,
  type NativeResult,
  type NativeStatement,
  QueryError,
  readClock,
  throwIfAborted,
  trace,
  type Watched,
  within,
} from '@dal/core';
import { giveTurn, type Lease, noticeLoss, type Session, takeTurn } from '@dal/pool';
import { acquireFor, acquireLease, takeAtOnce } from './acquire-lease.ts';
import type { CompiledStatement } from './compile-statement.ts';
import { type Retries, statementRetries } from './retries.ts';
import type { Runtime } from './runtime.ts';
import { limitFor, setLimit } from './statement-limit.ts';
import { stopStatement } from './stop-statement.ts';
import { toDalError } from './to-dal-error.ts';

/** Runs a statement by itself, on a connection of the pool. Repeats it only where that is safe. */
export async function runStatement(
  runtime: Runtime,
  statement: CompiledStatement,
  deadline: Deadline,
  idempotent: boolean,
): Promise<NativeResult> {
  let retries: Retries | undefined;
  runtime.budget.earn();
  for (;;) {
    try {
      const lease =
        takeAtOnce(runtime, deadline, retries) ??
        (await acquireFor(runtime, deadline, retries, 'statement'));
      try {
        return await runOnLease(runtime, lease, statement, deadline);
      } finally {
        giveBack(runtime, lease);
      }
    } catch (thrown) {
      retries ??= statementRetries(runtime, deadline, statement.shown, idempotent);
      await retries.waitForNext(thrown);
    }
  }
}

/** A driver's own call, on a connection of the pool. Never repeated: what it reads may be used up. */
export async function runCall(
  runtime: Runtime,
  statement: CompiledStatement,
  deadline: Deadline,
  call: StatementCall,
): Promise<NativeResult> {
  try {
    const lease = await acquireLease(runtime, deadline);
    try {
      return await runOnLease(runtime, lease, statement, deadline, call);
    } finally {
      giveBack(runtime, lease);
    }
  } catch (error) {
    throw toDalError(runtime.driver, runtime.name, error, statement.shown);
  }
}

/** The caller's answer doesn't wait until the session is put in order; the next borrower does. */
export function giveBack(runtime: Runtime, lease: Lease): void {
  // Cleaning is bounded and never rejects. The statement has just looked at the clock.
  void runtime.pool.release(lease, lease.lastUsedAt);
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
  const turn = takeTurn(session, deadline);
  if (turn) await turn;
  try {
    throwIfAborted(deadline, 'The statement');
    if (session.lost) throw lostBefore(runtime, session);
    lease.lastStatement = statement.shown;
    if (statement.touchesSession) session.dirty = true;
    const limit = limitFor(runtime, session, deadline);
    if (limit !== session.limitMs) {
      await setLimit(runtime, session, limit, deadline);
      if (session.lost) throw lostBefore(runtime, session);
    }
    const result = channels.attempt.hasSubscribers
      ? await sendTold(runtime, session, statement, deadline, call)
      : await send(runtime, session, statement, deadline, call);
    runtime.breaker?.recordSuccess();
    return result;
  } catch (thrown) {
    const error = toDalError(runtime.driver, runtime.name, thrown, statement.shown);
    runtime.breaker?.recordError(error);
    // Some ends are noticed only by the statement that met them.
    if (error.fault?.connectionLost) noticeLoss(session, error);
    else if (error.kind === 'readOnly') runtime.pool.suspect(session);
    throw error;
  } finally {
    lease.lastUsedAt = readClock();
    giveTurn(session);
  }
}

/** What is asked of the driver; nearly always `query`. */
export type StatementCall = (
  connection: DriverConnection,
  statement: NativeStatement,
) => Promise<NativeResult>;

const viaQuery: StatementCall = (connection, statement) => connection.query(statement);

/** `send`, with those who listen told of it. */
function sendTold(
  runtime: Runtime,
  session: Session,
  statement: CompiledStatement,
  deadline: Deadline,
  call: StatementCall,
): Promise<NativeResult> {
  const message: AttemptMessage = {
    database: runtime.observed,
    statement: statement.shown,
    parent: deadline.call,
    startedAt: performance.now(),
  };
  const work = (): Promise<NativeResult> =>
    send(runtime, session, statement, deadline, call, message);
  return trace(channels.attempt, message, work, {
    resultOf: ({ rows, affectedRows }) => ({ rowCount: rows.length, affectedRows }),
    judge: (thrown) => toDalError(runtime.driver, runtime.name, thrown, statement.shown),
  });
}

/** One statement on the wire, ended by its answer, its deadline or its signal. */
function send(
  runtime: Runtime,
  session: Session,
  statement: CompiledStatement,
  deadline: Deadline,
  call: StatementCall,
  told?: AttemptMessage,
): Promise<NativeResult> {
  return new Promise((resolve, reject) => {
    const sent = new Sent(runtime, session, statement, deadline, resolve, reject);
    if (told) told.stop = (by) => sent.stop(by);
    sent.follow(call(session.connection, statement));
  });
}

class Sent implements Watched {
  place = -1;
  readonly deadlineAt: number;
  readonly #runtime: Runtime;
  readonly #session: Session;
  readonly #statement: CompiledStatement;
  readonly #deadline: Deadline;
  readonly #resolve: (result: NativeResult | Promise<NativeResult>) => void;
  readonly #reject: (error: unknown) => void;
  #answer!: Promise<NativeResult>;
  #onAbort: (() => void) | undefined;
  #over = false;

  constructor(
    runtime: Runtime,
    session: Session,
    statement: CompiledStatement,
    deadline: Deadline,
    resolve: (result: NativeResult | Promise<NativeResult>) => void,
    reject: (error: unknown) => void,
  ) {
    this.deadlineAt = deadline.at;
    this.#runtime = runtime;
    this.#session = session;
    this.#statement = statement;
    this.#deadline = deadline;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  follow(answer: Promise<NativeResult>): void {
    this.#answer = answer;
    const { signal } = this.#deadline;
    if (this.deadlineAt !== Infinity) deadlines.add(this);
    if (signal) {
      this.#onAbort = () => this.#stop((applied) => abortError(signal, 'The statement', applied));
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
    answer.then(
      (result) => {
        if (this.#end()) this.#resolve(result);
      },
      (error: unknown) => {
        if (this.#end()) this.#reject(error);
      },
    );
  }

  onDeadline(): void {
    this.#runtime.pool.count('statementTimeouts');
    this.#stop((applied) => timeoutError(this.#runtime, this.#statement, this.#deadline, applied));
  }

  /** Somebody else wants it to end. */
  stop(by: string): void {
    this.#stop((applied) => stoppedError(this.#runtime, this.#statement, by, applied));
  }

  #stop(why: (applied: 'no' | 'unknown') => DalError): void {
    if (!this.#end()) return;
    this.#resolve(answerAfterStop(this.#runtime, this.#session, this.#answer, why));
  }

  /** True for the first of answer, deadline and signal. */
  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    deadlines.delete(this);
    if (this.#onAbort) this.#deadline.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

/** How long the caller waits to learn what became of a stopped statement. */
const VERDICT_MS = 80;

/**
 * What the caller of a stopped statement is told. A change that was made after all is reported as
 * made: calling it a timeout would invite a second one.
 */
async function answerAfterStop(
  runtime: Runtime,
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
    (error: unknown) => {
      // A session that was cut may know all the same, such as of a statement that only read.
      const { fault } = toDalError(runtime.driver, runtime.name, error);
      refused = session.lost === undefined || fault?.applied === 'no';
    },
  );
  const settled = await within(VERDICT_MS, Promise.all([verdict, stopped]));
  if (settled === 'late') runtime.pool.mistrust(session);
  if (answer && answer.affectedRows > 0) return answer;
  throw why(answer !== undefined || refused ? 'no' : 'unknown');
}

function timeoutError(
  runtime: Runtime,
  { shown }: CompiledStatement,
  { timeoutMs }: Deadline,
  applied: 'no' | 'unknown',
): DalError {
  return new QueryError(
    `The statement was stopped after ${Math.round(timeoutMs)} ms on "${runtime.name}". ${outcomeOf(applied)} Statement: ${shown.slice(0, 200)}`,
    {
      kind: 'statementTimeout',
      code: 'DAL_STATEMENT_TIMEOUT',
      fault: { kind: 'statementTimeout', applied },
    },
  );
}

/** Somebody who listens to a channel wanted it to end. */
export function stoppedError(
  runtime: Runtime,
  { shown }: CompiledStatement,
  by: string,
  applied: 'no' | 'unknown',
): DalError {
  return new QueryError(
    `The statement was stopped by ${by} on "${runtime.name}". ${outcomeOf(applied)} Statement: ${shown.slice(0, 200)}`,
    { kind: 'cancelled', code: 'DAL_STOPPED', fault: { kind: 'cancelled', applied } },
  );
}

function outcomeOf(applied: 'no' | 'unknown'): string {
  return applied === 'no'
    ? 'The server stopped it; nothing of it stays.'
    : 'It was told to stop; whether it took effect is unknown.';
}

export function lostBefore(runtime: Runtime, session: Session): DalError {
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
