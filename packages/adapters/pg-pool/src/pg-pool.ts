import { EventEmitter } from 'node:events';
import { ConfigError, type Connection, type Database, libraryError } from '@dal/core';
import { PgClient } from './pg-client.ts';
import type { Pool, PoolClient, QueryResult } from './pg-library.ts';
import { callbackOf, isSubmittable, type QueryDefaults, readQuery } from './pg-query.ts';
import { answer, runOnConnection, runOnPool } from './run-query.ts';

export interface PgPoolOptions extends QueryDefaults {
  /** `pool.end()` leaves the database open, for others who use it. Default: it closes it. */
  readonly keepOpen?: boolean;
}

/**
 * A database on PostgreSQL in the shape of `pg.Pool`, for code that was written for `pg`: values,
 * results and the server's errors are those of `pg`.
 *
 * @throws ConfigError for a database that is none of PostgreSQL's
 * @example
 * const pool = pgPool(db);
 * const { rows } = await pool.query('SELECT $1::int AS one', [1]);
 */
export function pgPool(db: Database, options: PgPoolOptions = {}): Pool {
  return new PgPool(db, options) as unknown as Pool;
}

type ConnectCallback = (
  error: unknown,
  client: PoolClient | undefined,
  done: (error?: Error | boolean) => void,
) => void;

/** What `pgPool` makes; the database behind it watches, repeats and counts. */
export class PgPool extends EventEmitter {
  /** As `pg` shows them. */
  readonly options: { readonly max: number; readonly min: number };
  ending = false;
  ended = false;
  readonly #db: Database;
  readonly #options: PgPoolOptions;

  constructor(db: Database, options: PgPoolOptions = {}) {
    super();
    if (db.dialect.name !== 'postgres') {
      throw new ConfigError(
        `pgPool takes a database on PostgreSQL, not ${db.dialect.name}. For MySQL and MariaDB there is mysql2Pool of @dal/mysql2-pool.`,
        { kind: 'usage', code: 'DAL_ADAPTER_DIALECT' },
      );
    }
    this.#db = db;
    this.#options = options;
    const { max, min } = db.pool.settings;
    this.options = { max, min };
  }

  /** Connections that are open. */
  get totalCount(): number {
    return this.#db.pool.stats().size;
  }

  get idleCount(): number {
    return this.#db.pool.stats().idle;
  }

  /** Those who wait for a connection. */
  get waitingCount(): number {
    return this.#db.pool.stats().waiting;
  }

  /** Expired connections are replaced before anybody sees them. */
  get expiredCount(): number {
    return 0;
  }

  query(query: unknown, values?: unknown, callback?: unknown): Promise<QueryResult> | undefined {
    return answer(this.#query(query, values), callbackOf(query, values, callback));
  }

  connect(callback?: ConnectCallback): Promise<PoolClient> | undefined {
    if (callback === undefined) return this.#connect();
    this.#connect().then(
      (client) => process.nextTick(callback, undefined, client, client.release),
      (error: unknown) => process.nextTick(callback, error, undefined, () => undefined),
    );
    return undefined;
  }

  end(callback?: (error?: unknown) => void): Promise<void> | undefined {
    return answer(this.#end(), callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  async #query(query: unknown, values: unknown): Promise<QueryResult> {
    if (typeof query === 'function') {
      throw new Error('Passing a function as the first parameter to pool.query is not supported');
    }
    if (isSubmittable(query)) throw submittableRefused();
    const asked = readQuery(query, values, this.#options);
    if (this.ending) throw poolEnded();
    if (!this.#isWatched()) return runOnPool(this.#db, asked);
    // Who prepares each client expects that of this one too.
    const { client, connection } = await this.#lend();
    try {
      return await runOnConnection(connection, asked);
    } finally {
      client.release();
    }
  }

  async #connect(): Promise<PoolClient> {
    return (await this.#lend()).client as unknown as PoolClient;
  }

  async #lend(): Promise<{ readonly client: PgClient; readonly connection: Connection }> {
    if (this.ending) throw poolEnded();
    let connection: Connection;
    try {
      connection = await this.#db.acquire();
    } catch (error) {
      throw libraryError(error);
    }
    const client = new PgClient(this.#db, this.#options, connection);
    let released = false;
    client.release = (error) => {
      if (released) {
        throw new Error('Release called on client which has already been released to the pool.');
      }
      released = true;
      this.emit('release', error, client);
      // What goes wrong while it is put in order is the pool's business.
      void client.giveBack(error).then(
        () => error && this.emit('remove', client),
        () => this.emit('remove', client),
      );
    };
    // A session may have been reset since its last loan, so each loan is a new connection to those who
    // want to prepare it.
    this.emit('connect', client);
    this.emit('acquire', client);
    return { client, connection };
  }

  async #end(): Promise<void> {
    if (this.ending) throw new Error('Called end on pool more than once');
    this.ending = true;
    if (this.#options.keepOpen !== true) await this.#db.close();
    this.ended = true;
  }

  #isWatched(): boolean {
    return ['connect', 'acquire', 'release'].some((event) => this.listenerCount(event) > 0);
  }
}

function poolEnded(): Error {
  return new Error('Cannot use a pool after calling end on the pool');
}

function submittableRefused(): ConfigError {
  return new ConfigError(
    'A cursor or stream needs a client of its own: const client = await pool.connect(), then client.query(cursor), and client.release() at its end.',
    { kind: 'usage', code: 'DAL_ADAPTER_USAGE' },
  );
}
