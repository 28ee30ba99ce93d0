import {
  type AcquireOptions,
  type Deadline,
  type DriverVersion,
  type Fault,
  isDalError,
  type NativeResult,
  PoolError,
  type StatementOptions,
  type SyncConnection,
  type SyncDatabase,
  type SyncTransaction,
  TransactionError,
  type TransactionOptions,
} from '@dal/core';
import type { SyncSource, SyncTwin } from '@dal/database';
import { backoff, retryVerdict, transactionVerdict } from '@dal/resilience';
import { type Compiled, connectDirectly, DirectSession } from './direct-session.ts';
import { DirectStatements } from './direct-statements.ts';
import { refusePromise } from './refuse-promise.ts';
import { openRemoteDatabase } from './remote-database.ts';

/** A twin without a worker; undefined where the driver has no sessions of the calling thread. */
export function openDirectDatabase(source: SyncSource): SyncTwin | undefined {
  const connection = connectDirectly(source);
  if (connection === undefined) return undefined;
  const database = new DirectDatabase(new DirectSession(source, connection));
  return { database, close: () => Promise.resolve(database.close()) };
}

class DirectDatabase extends DirectStatements implements SyncDatabase {
  get name(): string {
    return this.session.source.name;
  }

  connect(): void {
    this.ping();
  }

  ping(_options?: AcquireOptions): void {
    this.session.checkFree();
    this.session.say(this.dialect.ping);
  }

  isHealthy(options?: AcquireOptions): boolean {
    try {
      this.ping(options);
      return true;
    } catch {
      return false;
    }
  }

  version(options?: AcquireOptions): DriverVersion {
    return askVersion(this.session.source, options);
  }

  connection<T>(callback: (connection: SyncConnection) => T, _options?: AcquireOptions): T {
    return this.session.hold(() => {
      const connection = new DirectConnection(this.session);
      try {
        const result = callback(connection);
        refusePromise(result);
        return result;
      } finally {
        connection.end();
        this.session.reset();
      }
    });
  }

  transaction<T>(callback: (tx: SyncTransaction) => T, options: TransactionOptions = {}): T {
    const { retries = 0 } = options;
    return again(this.session.source, retries, transactionVerdict, () =>
      this.session.hold(() => transactionOn(this.session, callback, options)),
    );
  }

  close(): void {
    this.session.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected run(statement: Compiled, deadline: Deadline, options: StatementOptions): NativeResult {
    this.session.checkFree();
    const { source } = this.session;
    const facts = { autocommit: true, idempotent: options.idempotent === true };
    return again(
      source,
      source.retry.maxRetries,
      (fault) => retryVerdict(fault, facts),
      () => this.session.run(statement, deadline),
    );
  }

  protected allOrNothing<T>(work: (on: DirectStatements) => T): T {
    return this.transaction((tx) => work(tx as DirectTransaction));
  }
}

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

class DirectTransaction extends DirectScope implements SyncTransaction {
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

class DirectConnection extends DirectScope implements SyncConnection {
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
    return new PoolError(
      'This connection was given back when its callback ended; nothing was sent.',
      { kind: 'usage', code: 'DAL_USE_AFTER_RELEASE' },
    );
  }
}

/** Begin, callback, commit or rollback. */
function transactionOn<T>(
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

/** Runs work again for as long as the verdict allows it; the thread sleeps in between. */
function again<T>(
  source: SyncSource,
  retries: number,
  verdict: (fault: Fault) => boolean,
  work: () => T,
): T {
  const earlier: Error[] = [];
  let nextDelay: (() => number) | undefined;
  for (;;) {
    try {
      return work();
    } catch (error) {
      const fault = isDalError(error) ? error.fault : undefined;
      if (isDalError(error) && earlier.length > 0) error.attempts = [...earlier];
      if (fault === undefined || earlier.length >= retries || !verdict(fault)) throw error;
      earlier.push(error as Error);
      nextDelay ??= backoff(source.retry);
      sleep(nextDelay());
    }
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Drivers tell their version by a promise, which only another thread can wait for. */
function askVersion(source: SyncSource, options?: AcquireOptions): DriverVersion {
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
