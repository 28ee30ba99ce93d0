import {
  type AcquireOptions,
  type Deadline,
  type DriverVersion,
  type NativeResult,
  type SyncConnection,
  type SyncTransaction,
  TransactionError,
  type TransactionOptions,
} from '@dal/core';
import type { SyncSource } from '@dal/database';
import type { Compiled, DirectSession } from './direct-session.ts';
import { DirectStatements } from './direct-statements.ts';
import { givenBackError } from './given-back-error.ts';
import { refusePromise } from './refuse-promise.ts';
import { openRemoteDatabase } from './remote-database.ts';

/** Statements that end with a callback. */
abstract class DirectScope extends DirectStatements {
  #ended = false;
  #savepoints = 0;

  end(): void {
    this.#ended = true;
  }

  protected abstract endedError(): Error;

  protected run(statement: Compiled, deadline: Deadline): NativeResult {
    this.check();
    return this.session.run(statement, deadline);
  }

  protected check(): void {
    if (this.#ended) throw this.endedError();
  }

  protected inSavepoint<T>(work: () => T): T {
    this.check();
    const { savepoint, rollbackTo, release } = this.session.words;
    if (!savepoint || !rollbackTo) {
      throw new TransactionError(
        `${this.dialect.name} has no savepoints, so a transaction inside a transaction can't be undone alone.`,
        { kind: 'usage', code: 'DAL_NO_SAVEPOINTS' },
      );
    }
    const name = `dal_${++this.#savepoints}`;
    this.session.say(savepoint(name));
    try {
      const result = work();
      refusePromise(result);
      if (release) this.session.say(release(name));
      return result;
    } catch (error) {
      // Where the whole transaction is gone there is nothing to go back to.
      if (this.session.inTransaction) {
        this.session.say(rollbackTo(name));
        if (release) this.session.say(release(name));
      }
      throw error;
    }
  }
}

export class DirectTransaction extends DirectScope implements SyncTransaction {
  readonly #deadline: Deadline;

  constructor(session: DirectSession, deadline: Deadline) {
    super(session);
    this.#deadline = deadline;
  }

  transaction<T>(callback: (tx: SyncTransaction) => T): T {
    return this.inSavepoint(() => callback(this));
  }

  protected override run(statement: Compiled, deadline: Deadline): NativeResult {
    const sooner = deadline.at < this.#deadline.at ? deadline : this.#deadline;
    return super.run(statement, { ...sooner, signal: deadline.signal ?? this.#deadline.signal });
  }

  protected allOrNothing<T>(work: (on: DirectStatements) => T): T {
    return this.inSavepoint(() => work(this));
  }

  protected override check(): void {
    super.check();
    if (!this.session.inTransaction) throw transactionGone(this.session.source.name);
  }

  protected endedError(): Error {
    return new TransactionError(
      'This transaction has ended; its statements belong inside the callback. Nothing was sent.',
      { kind: 'usage', code: 'DAL_TRANSACTION_ENDED' },
    );
  }
}

export class DirectConnection extends DirectScope implements SyncConnection {
  get inTransaction(): boolean {
    this.check();
    return this.session.inTransaction;
  }

  begin(options: Omit<TransactionOptions, 'retries'> = {}): void {
    this.check();
    begin(this.session, options);
  }

  commit(): void {
    this.check();
    this.session.say(this.session.words.commit);
  }

  rollback(): void {
    this.check();
    if (this.session.inTransaction) this.session.say(this.session.words.rollback);
  }

  version(): DriverVersion {
    this.check();
    return askVersion(this.session.source);
  }

  transaction<T>(
    callback: (tx: SyncTransaction) => T,
    options: Omit<TransactionOptions, 'retries'> = {},
  ): T {
    this.check();
    return transactionOn(this.session, callback, options);
  }

  protected allOrNothing<T>(work: (on: DirectStatements) => T): T {
    // Joins the transaction that the user opened; opens one otherwise.
    if (this.inTransaction) return work(this);
    return this.transaction((tx) => work(tx as DirectTransaction));
  }

  protected endedError(): Error {
    return givenBackError();
  }
}

/** Begin, callback, commit or rollback. */
export function transactionOn<T>(
  session: DirectSession,
  callback: (tx: SyncTransaction) => T,
  options: TransactionOptions,
): T {
  const deadline = begin(session, options);
  const scope = new DirectTransaction(session, deadline);
  let result: T;
  try {
    result = callback(scope);
    refusePromise(result);
  } catch (error) {
    scope.end();
    rollBack(session);
    throw error;
  }
  scope.end();
  if (!session.inTransaction) throw transactionGone(session.source.name);
  try {
    session.say(session.words.commit);
  } catch (error) {
    rollBack(session);
    throw error;
  }
  return result;
}

function begin(session: DirectSession, options: TransactionOptions): Deadline {
  const { how, deadline } = session.source.readTransaction(options);
  for (const text of session.words.begin(how)) session.say(text);
  return deadline;
}

function rollBack(session: DirectSession): void {
  try {
    if (session.inTransaction) session.say(session.words.rollback);
  } catch {
    // The callback's error is what counts; the session is looked at when it is given back.
  }
}

/** Drivers tell their version by a promise, which only another thread can wait for. */
export function askVersion(source: SyncSource, options?: AcquireOptions): DriverVersion {
  const { database } = openRemoteDatabase(source);
  try {
    return database.version(options);
  } finally {
    database.close();
  }
}

function transactionGone(name: string): TransactionError {
  return new TransactionError(
    `The transaction on "${name}" was ended by one of its statements or by the engine. Nothing more was sent.`,
    { kind: 'usage', code: 'DAL_TRANSACTION_GONE' },
  );
}
