import {
  CommitOutcomeUnknownError,
  type DalError,
  type Deadline,
  deadlineAfter,
  durationMs,
  type NativeResult,
  remainingMs,
  sleepWithin,
  sooner,
  type StatementOptions,
  type StreamOptions,
  type Transaction,
  TransactionError,
  type TransactionOptions,
} from '@dal/core';
import { type Lease, statusOf } from '@dal/pool';
import { backoff, transactionVerdict } from '@dal/resilience';
import {
  beginTransaction,
  commitTransaction,
  rollbackTransaction,
  withSavepoint,
} from './begin-transaction.ts';
import type { CompiledStatement } from './compile-statement.ts';
import { acquireLease, giveBack, runOnLease } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { StatementMethods } from './statement-methods.ts';
import { streamOnLease } from './stream-statement.ts';
import { toDalError } from './to-dal-error.ts';

/** Longest time for the ROLLBACK of a transaction whose own time is over. */
const ROLLBACK_TIMEOUT_MS = 2_000;

/**
 * Runs the callback in a transaction of its own connection; runs all of it again, as often as
 * `retries` allows, when the server undid it for reasons that may pass.
 */
export async function runTransaction<T>(
  runtime: Runtime,
  callback: (tx: Transaction) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const { timeoutMs, signal, retries = 0 } = options;
  const deadline = deadlineAfter(
    timeoutMs === undefined ? Infinity : durationMs(timeoutMs, 'timeoutMs'),
    signal,
  );
  let nextDelay: (() => number) | undefined;
  for (let attempt = 0; ; attempt++) {
    try {
      return await attemptTransaction(runtime, callback, options, deadline);
    } catch (error) {
      const { fault } = toDalError(runtime.driver, runtime.name, error);
      const may = attempt < retries && fault !== undefined && transactionVerdict(fault);
      if (may) nextDelay ??= backoff(runtime.settings.retry);
      const delay = nextDelay?.() ?? 0;
      if (!may || delay >= remainingMs(deadline)) throw error;
      runtime.pool.count('retries');
      await sleepWithin(deadline, delay);
    }
  }
}

async function attemptTransaction<T>(
  runtime: Runtime,
  callback: (tx: Transaction) => Promise<T>,
  options: TransactionOptions,
  deadline: Deadline,
): Promise<T> {
  const lease = await acquireForTransaction(runtime, deadline);
  try {
    return await transactionOnLease(runtime, lease, callback, options, deadline);
  } finally {
    giveBack(runtime, lease);
  }
}

async function acquireForTransaction(runtime: Runtime, deadline: Deadline): Promise<Lease> {
  try {
    return await acquireLease(runtime, deadline);
  } catch (error) {
    throw toDalError(runtime.driver, runtime.name, error);
  }
}

/** Begin, callback, commit or rollback, on a connection that stays lent. */
export async function transactionOnLease<T>(
  runtime: Runtime,
  lease: Lease,
  callback: (tx: Transaction) => Promise<T>,
  options: TransactionOptions,
  deadline: Deadline,
): Promise<T> {
  await beginTransaction(runtime, lease, options, wordDeadline(runtime, deadline));
  const scope = new TransactionScope(runtime, lease, deadline);
  let result: T;
  try {
    result = await callback(scope);
    await scope.drained();
  } catch (error) {
    await scope.drained();
    scope.end();
    await rollbackQuietly(runtime, lease);
    throw error;
  }
  scope.end();
  await commit(runtime, lease, scope, wordDeadline(runtime, deadline));
  return result;
}

/** Each word of the transaction has the statement's time, and never more than the transaction's. */
function wordDeadline(runtime: Runtime, deadline: Deadline): Deadline {
  return sooner(deadline, runtime.settings.statementTimeoutMs);
}

async function commit(
  runtime: Runtime,
  lease: Lease,
  scope: TransactionScope,
  deadline: Deadline,
): Promise<void> {
  if (scope.gone) {
    // The server committed by itself (DDL) and nothing came after it: there is nothing to lose.
    if (scope.gone === 'committed') return;
    throw transactionGone(runtime.name, scope.firstError);
  }
  if (statusOf(lease.session) === 'failed') {
    await rollbackQuietly(runtime, lease);
    throw rolledBack(runtime.name, scope.firstError);
  }
  let command: string | undefined;
  try {
    command = await commitTransaction(runtime, lease, deadline);
  } catch (error) {
    const judged = toDalError(runtime.driver, runtime.name, error, 'COMMIT');
    if (judged.fault?.applied === 'unknown' || judged.code === 'DAL_ABORTED') {
      throw new CommitOutcomeUnknownError(
        `The line to "${runtime.name}" broke while COMMIT was under way: the transaction may or may not be in the database. Look before doing it again.`,
        {
          kind: 'connection',
          code: 'DAL_COMMIT_OUTCOME_UNKNOWN',
          cause: judged,
          fault: judged.fault ?? { kind: 'connection', applied: 'unknown' },
        },
      );
    }
    await rollbackQuietly(runtime, lease);
    throw judged;
  }
  // PostgreSQL answers COMMIT of an aborted transaction with ROLLBACK and no error.
  if (command !== undefined && command !== 'COMMIT')
    throw rolledBack(runtime.name, scope.firstError);
}

/** After a failed callback: its error is what counts, so a ROLLBACK that fails ends the session. */
async function rollbackQuietly(runtime: Runtime, lease: Lease): Promise<void> {
  if (lease.session.lost) return;
  try {
    await rollbackTransaction(runtime, lease, deadlineAfter(ROLLBACK_TIMEOUT_MS));
  } catch {
    // The pool sees the state at release and destroys what it can't clean.
  }
}

/** What a transaction's callback works with; refuses everything once the transaction has ended. */
class TransactionScope extends StatementMethods implements Transaction {
  /** How the server ended the transaction by itself, if it did. */
  gone: 'committed' | 'rolledBack' | undefined;
  firstError: DalError | undefined;
  readonly #lease: Lease;
  readonly #deadline: Deadline;
  #ended = false;
  #savepoints = 0;
  readonly #running = new Set<Promise<unknown>>();

  constructor(runtime: Runtime, lease: Lease, deadline: Deadline) {
    super(runtime);
    this.#lease = lease;
    this.#deadline = deadline;
  }

  end(): void {
    this.#ended = true;
  }

  /** Waits for statements that the callback started and did not await. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  async transaction<T>(callback: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#check();
    const name = `dal_${++this.#savepoints}`;
    const limit = wordDeadline(this.runtime, this.#deadline);
    return withSavepoint(this.runtime, this.#lease, name, limit, () => callback(this));
  }

  protected run(
    statement: CompiledStatement,
    deadline: Deadline,
    _options: StatementOptions | undefined,
  ): Promise<NativeResult> {
    this.#check();
    const running = this.#runInside(
      statement,
      deadline.at < this.#deadline.at
        ? deadline
        : { ...this.#deadline, signal: deadline.signal ?? this.#deadline.signal },
    );
    this.#running.add(running);
    const forget = (): void => {
      this.#running.delete(running);
    };
    running.then(forget, forget);
    return running;
  }

  protected streamRows(
    statement: CompiledStatement,
    batchSize: number,
    options: StreamOptions | undefined,
  ): AsyncIterable<unknown[]> {
    this.#check();
    return streamOnLease(this.runtime, this.#lease, statement, batchSize, options);
  }

  protected async allOrNothing<T>(
    _deadline: Deadline,
    work: (on: StatementMethods) => Promise<T>,
  ): Promise<T> {
    return this.transaction(() => work(this));
  }

  async #runInside(statement: CompiledStatement, deadline: Deadline): Promise<NativeResult> {
    try {
      const result = await runOnLease(this.runtime, this.#lease, statement, deadline);
      this.#watch('committed');
      return result;
    } catch (error) {
      this.firstError ??= error as DalError;
      this.#watch('rolledBack');
      throw error;
    }
  }

  /** Where the protocol says that no transaction is open any more, the next statement would stand alone. */
  #watch(how: 'committed' | 'rolledBack'): void {
    const { session } = this.#lease;
    if (session.connection.status && statusOf(session) === 'idle') this.gone ??= how;
  }

  #check(): void {
    if (this.#ended) {
      throw new TransactionError(
        'This transaction has ended; its statements must be awaited inside the callback. Nothing was sent.',
        { kind: 'usage', code: 'DAL_TRANSACTION_ENDED' },
      );
    }
    if (this.gone) throw transactionGone(this.runtime.name, this.firstError);
  }
}

function transactionGone(name: string, cause: DalError | undefined): TransactionError {
  return new TransactionError(
    `The server ended this transaction on "${name}" by itself (a deadlock, or a statement that commits, such as DDL on MySQL). Nothing more was sent.`,
    {
      kind: cause?.kind ?? 'usage',
      code: 'DAL_TRANSACTION_GONE',
      cause,
      ...(cause?.fault ? { fault: cause.fault } : {}),
    },
  );
}

function rolledBack(name: string, cause: DalError | undefined): TransactionError {
  return new TransactionError(
    `The transaction on "${name}" was rolled back: one of its statements failed before COMMIT, and the server keeps nothing of it.`,
    {
      kind: cause?.kind ?? 'usage',
      code: 'DAL_TRANSACTION_ABORTED',
      cause,
      fault: { kind: cause?.kind ?? 'unknown', applied: 'no' },
    },
  );
}
