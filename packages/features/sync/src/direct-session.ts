import {
  ConfigError,
  type Deadline,
  type Dialect,
  type DriverConnection,
  type NativeResult,
  type NativeStatement,
  PoolError,
  QueryError,
  remainingMs,
  throwIfAborted,
  TransactionError,
} from '@dal/core';
import type { SyncSource } from '@dal/database';

/** A statement in the engine's words, and as the user wrote it. */
export type Compiled = NativeStatement & { readonly shown: string };

/**
 * The one session of a database whose engine works in the calling thread. Nothing can stop a
 * statement there: who could is the thread that waits.
 */
export class DirectSession {
  readonly source: SyncSource;
  /** Runs a callback that nobody else's statements may get into. */
  #isHeld = false;
  #connection: DriverConnection | undefined;
  #closed = false;

  constructor(source: SyncSource, connection: DriverConnection) {
    this.source = source;
    this.#connection = connection;
  }

  get inTransaction(): boolean {
    return (this.#connection?.status?.() ?? 'idle') !== 'idle';
  }

  run(statement: Compiled, deadline: Deadline): NativeResult {
    throwIfAborted(deadline, 'The statement');
    if (remainingMs(deadline) === 0) throw tooLate(deadline, this.source.name);
    return this.#send(statement);
  }

  /** The words of a transaction. */
  say(text: string): NativeResult {
    return this.#send({ text, values: [], shown: text });
  }

  get words(): NonNullable<Dialect['transaction']> {
    const { transaction, name } = this.source.driver.dialect;
    if (transaction) return transaction;
    throw new TransactionError(`${name} has no words for transactions.`, {
      kind: 'usage',
      code: 'DAL_NO_TRANSACTIONS',
    });
  }

  /** Lends the session to a callback. @throws PoolError when another one has it */
  hold<T>(work: () => T): T {
    this.checkFree();
    this.#isHeld = true;
    try {
      return work();
    } finally {
      this.#isHeld = false;
      if (this.inTransaction) this.#rollBack();
    }
  }

  checkFree(): void {
    if (!this.#isHeld) return;
    throw new PoolError(
      `The only session of "${this.source.name}" is held by the transaction or connection that is under way in this thread. Use what the callback was given.`,
      { kind: 'usage', code: 'DAL_NESTED_ACQUIRE' },
    );
  }

  /** Undoes what was set in the session. */
  reset(): void {
    const { driver, driverOptions } = this.source;
    if (!driver.poolOptions?.(driverOptions).keepOne) this.#drop();
    // Its data would go with the session.
    else this.#connection?.reset?.().catch(() => this.#drop());
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #send(statement: Compiled): NativeResult {
    const connection = this.#open();
    try {
      if (connection.querySync) return connection.querySync(statement);
    } catch (error) {
      const judged = this.source.judge(error, statement.shown);
      if (judged.fault?.connectionLost) this.#drop();
      throw judged;
    }
    throw notDirect(this.source.driver.name);
  }

  #open(): DriverConnection {
    const { name, driver } = this.source;
    if (this.#closed) {
      throw new PoolError(`The database "${name}" is closed; nothing can run on it any more.`, {
        kind: 'usage',
        code: 'DAL_CLOSED',
      });
    }
    this.#connection ??= connectDirectly(this.source);
    if (this.#connection) return this.#connection;
    throw notDirect(driver.name);
  }

  #rollBack(): void {
    try {
      this.say(this.words.rollback);
    } catch {
      this.#drop();
    }
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection?.destroy) connection.destroy();
    else void connection?.close().catch(() => undefined);
  }
}

/** A session of this thread, where the driver has such. @throws DalError when it could not be opened */
export function connectDirectly(source: SyncSource): DriverConnection | undefined {
  try {
    return source.driver.connectSync?.(source.driverOptions);
  } catch (error) {
    throw source.judge(error);
  }
}

function tooLate({ timeoutMs }: Deadline, name: string): QueryError {
  return new QueryError(
    `The time of ${Math.round(timeoutMs)} ms on "${name}" was over before this statement began. Nothing of it was sent.`,
    {
      kind: 'statementTimeout',
      code: 'DAL_STATEMENT_TIMEOUT',
      fault: { kind: 'statementTimeout', applied: 'no' },
    },
  );
}

function notDirect(driver: string): ConfigError {
  return new ConfigError(`The session of connectSync() of "${driver}" has no querySync().`, {
    kind: 'usage',
    code: 'DAL_DRIVER_INVALID',
  });
}
