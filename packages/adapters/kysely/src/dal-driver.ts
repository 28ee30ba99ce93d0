import {
  type BeginOptions,
  type Database,
  type Dialect,
  isDalError,
  libraryError,
  quoteIdentifier,
  TransactionError,
} from '@dal/core';
import { DalConnection } from './dal-connection.ts';
import {
  type AbortableOperationOptions,
  AbortedTransactionError,
  type DatabaseConnection,
  type Driver,
  type TransactionSettings,
} from './kysely.ts';

/** Kysely's side of a database: every connection is lent by the pool of the layer. */
export class DalDriver implements Driver {
  readonly #db: Database;
  readonly #keepOpen: boolean;

  constructor(db: Database, keepOpen: boolean) {
    this.#db = db;
    this.#keepOpen = keepOpen;
  }

  /** Nothing: the first connection is opened when it is asked for. */
  async init(): Promise<void> {}

  async acquireConnection({ signal }: AbortableOperationOptions = {}): Promise<DatabaseConnection> {
    return new DalConnection(await this.#db.acquire(signal ? { signal } : {}));
  }

  async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const options = beginOptions(this.#db.dialect, settings);
    await outcome(lent(connection).begin(options));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await lent(connection).commit();
    } catch (error) {
      // Kysely's word for it, upon which it does not ask for a rollback.
      if (isDalError(error) && error.code === 'DAL_TRANSACTION_ABORTED') {
        throw new AbortedTransactionError({ cause: error });
      }
      throw libraryError(error);
    }
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await lent(connection).rollback();
    } catch (error) {
      // The session is gone and its transaction with it. Kysely would show this error instead of the
      // one that the transaction failed of.
      if (isDalError(error) && error.fault?.connectionLost) return;
      throw libraryError(error);
    }
  }

  savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    return this.#say(connection, 'savepoint', name);
  }

  rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    return this.#say(connection, 'rollbackTo', name);
  }

  releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    return this.#say(connection, 'release', name);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await lent(connection)[Symbol.asyncDispose]();
  }

  async destroy(): Promise<void> {
    if (!this.#keepOpen) await this.#db.close();
  }

  async #say(
    connection: DatabaseConnection,
    word: 'savepoint' | 'rollbackTo' | 'release',
    name: string,
  ): Promise<void> {
    const { dialect } = this.#db;
    const text = dialect.transaction?.[word]?.(quoteIdentifier(name, dialect));
    if (text === undefined) throw noSavepoints(dialect);
    await outcome(lent(connection).execute(text));
  }
}

function noSavepoints({ name }: Dialect): TransactionError {
  return new TransactionError(
    `Kysely asked for a savepoint, and the dialect "${name}" has no words for that. Do without it.`,
    { kind: 'usage', code: 'DAL_NO_SAVEPOINTS' },
  );
}

function lent(connection: DatabaseConnection): DalConnection['lent'] {
  return (connection as DalConnection).lent;
}

/** The library's own errors, as its users know them. */
async function outcome<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw libraryError(error);
  }
}

function beginOptions(dialect: Dialect, settings: TransactionSettings): BeginOptions {
  const { isolationLevel, accessMode } = settings;
  // As Kysely's own SQLite does: every transaction there is serializable, which is all of them.
  if (dialect.name === 'sqlite') return {};
  return {
    ...(isolationLevel ? { isolation: camelCase(isolationLevel) } : {}),
    ...(accessMode ? { readOnly: accessMode === 'read only' } : {}),
  };
}

/** `read committed` is `readCommitted`. */
function camelCase(words: string): string {
  return words.replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
}
