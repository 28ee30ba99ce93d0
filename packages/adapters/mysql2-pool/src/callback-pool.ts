import { EventEmitter } from 'node:events';
import { ConfigError, type Database, libraryError } from '@dal/core';
import { CallbackConnection, checkBound } from './callback-connection.ts';
import {
  type Command,
  escaping,
  type LibrarySettings,
  type Pool,
  promisePool,
  readCall,
} from './mysql2-library.ts';
import type { Mysql2PoolOptions } from './mysql2-pool.ts';
import { runCommand } from './run-command.ts';

/** The pool of mysql2 with callbacks; the database behind it watches, repeats and counts. */
export class CallbackPool extends EventEmitter {
  readonly config: {
    readonly connectionConfig: LibrarySettings & { readonly trace: false };
    readonly connectionLimit: number;
  };
  _closed = false;
  readonly #db: Database;
  readonly #keepOpen: boolean;

  /** @throws ConfigError for a database that is none of MySQL's or MariaDB's */
  constructor(db: Database, { keepOpen = false, ...settings }: Mysql2PoolOptions = {}) {
    super();
    if (db.dialect.name !== 'mysql') {
      throw new ConfigError(
        `mysql2Pool takes a database on MySQL or MariaDB, not ${db.dialect.name}. For PostgreSQL there is pgPool of @dal/pg-pool.`,
        { kind: 'usage', code: 'DAL_ADAPTER_DIALECT' },
      );
    }
    this.#db = db;
    this.#keepOpen = keepOpen;
    this.config = {
      connectionConfig: { timezone: 'local', ...settings, trace: false },
      connectionLimit: db.pool.settings.max,
    };
  }

  query(sql: unknown, values?: unknown, callback?: unknown): Command {
    const command = readCall(sql, values, callback, this.#settings);
    if (this._closed) refuse(command);
    else runCommand(this.#db, command, 'text', this.#settings);
    return command;
  }

  execute(sql: unknown, values?: unknown, callback?: unknown): Command {
    const command = readCall(sql, values, callback, this.#settings);
    checkBound(command.values);
    if (this._closed) refuse(command);
    else runCommand(this.#db, command, 'binary', this.#settings);
    return command;
  }

  getConnection(callback: (error: unknown, connection?: CallbackConnection) => void): void {
    this.#lend().then(
      (connection) => process.nextTick(callback, null, connection),
      (error: unknown) => process.nextTick(callback, error),
    );
  }

  releaseConnection(connection: { release(): void }): void {
    connection.release();
  }

  end(callback?: (error?: unknown) => void): void {
    this._closed = true;
    const closing = this.#keepOpen ? Promise.resolve() : this.#db.close();
    closing.then(
      () => callback && process.nextTick(callback),
      (error: unknown) => process.nextTick(callback ?? rethrow, libraryError(error)),
    );
  }

  [Symbol.dispose](): void {
    if (!this._closed) this.end();
  }

  unprepare(): void {
    // The layer decides what stays prepared.
  }

  escape(value: unknown): string {
    return escaping.escape(value, this.#settings.stringifyObjects, this.#settings.timezone);
  }

  escapeId(name: string | string[]): string {
    return escaping.escapeId(name);
  }

  format(sql: string, values?: unknown): string {
    const { stringifyObjects, timezone } = this.#settings;
    return escaping.format(sql, values, stringifyObjects, timezone);
  }

  promise(): Pool {
    return promisePool(this);
  }

  async #lend(): Promise<CallbackConnection> {
    if (this._closed) throw poolClosed();
    const acquiring = this.#db.acquire();
    try {
      await acquiring;
    } catch (error) {
      throw libraryError(error);
    }
    const connection = new CallbackConnection(acquiring, this.#settings);
    connection.once('released', () => this.emit('release', connection));
    this.emit('connection', connection);
    this.emit('acquire', connection);
    return connection;
  }

  get #settings(): LibrarySettings {
    return this.config.connectionConfig;
  }
}

function refuse(command: Command): void {
  process.nextTick(() => {
    if (command.onResult) command.onResult(poolClosed());
    else command.emit('error', poolClosed());
  });
}

function poolClosed(): Error {
  return new Error('Pool is closed.');
}

function rethrow(error: unknown): void {
  throw error;
}
