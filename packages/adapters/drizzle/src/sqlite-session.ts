import type { Connection, Database, ExecuteResult, Queryable, StatementOptions } from '@dal/core';
import type { WithCacheConfig } from 'drizzle-orm/cache/core/types';
import type { TablesRelationalConfig } from 'drizzle-orm/relations';
import { fillPlaceholders, type Query } from 'drizzle-orm/sql';
import type { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core';
import {
  type PreparedQueryConfig,
  type SQLiteExecuteMethod,
  SQLitePreparedQuery,
  SQLiteSession,
  SQLiteTransaction,
  type SQLiteTransactionConfig,
} from 'drizzle-orm/sqlite-core/session';
import type { Relations, SessionSettings } from './configuration.ts';
import {
  internalsOf,
  mapRows,
  type QueryMetadata,
  type Reading,
  type ResultMapper,
  type SelectedFields,
} from './internals.ts';
import { run } from './run.ts';
import { inSavepoint, inTransaction } from './transaction.ts';

/** What a statement did, as better-sqlite3 says it. */
export interface RunResult {
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}

/** Sends Drizzle's queries to the database, or to a connection that is in a transaction. */
export class SqliteSession<
  FullSchema extends Record<string, unknown>,
  Schema extends TablesRelationalConfig,
> extends SQLiteSession<'async', RunResult, FullSchema, Schema> {
  readonly #db: Database;
  readonly #on: Queryable;
  readonly #dialect: SQLiteAsyncDialect;
  readonly #schema: Relations<Schema>;
  readonly #settings: SessionSettings;

  constructor(
    db: Database,
    on: Queryable,
    dialect: SQLiteAsyncDialect,
    schema: Relations<Schema>,
    settings: SessionSettings,
  ) {
    super(dialect);
    this.#db = db;
    this.#on = on;
    this.#dialect = dialect;
    this.#schema = schema;
    this.#settings = settings;
  }

  prepareQuery(
    query: Query,
    fields: SelectedFields,
    method: SQLiteExecuteMethod,
    _isInArrayMode: boolean,
    mapper?: ResultMapper,
    metadata?: QueryMetadata,
    cacheConfig?: WithCacheConfig,
  ): SQLitePreparedQuery<PreparedQueryConfig & { type: 'async' }> {
    const reading = { fields, mapper };
    return new PreparedQuery(
      this.#on,
      query,
      method,
      reading,
      this.#settings,
      metadata,
      cacheConfig,
    );
  }

  transaction<T>(
    work: (tx: SQLiteTransaction<'async', RunResult, FullSchema, Schema>) => Promise<T>,
    config: SQLiteTransactionConfig = {},
  ): Promise<T> {
    return inTransaction(
      this.#db,
      (connection) => beginAs(connection, config.behavior),
      (connection) => {
        const session = new SqliteSession<FullSchema, Schema>(
          this.#db,
          connection,
          this.#dialect,
          this.#schema,
          this.#settings,
        );
        return work(new Transaction('async', this.#dialect, session, this.#schema));
      },
    );
  }
}

class Transaction<
  FullSchema extends Record<string, unknown>,
  Schema extends TablesRelationalConfig,
> extends SQLiteTransaction<'async', RunResult, FullSchema, Schema> {
  readonly #dialect: SQLiteAsyncDialect;
  readonly #session: SQLiteSession<'async', RunResult, FullSchema, Schema>;

  constructor(
    kind: 'async',
    dialect: SQLiteAsyncDialect,
    session: SQLiteSession<'async', RunResult, FullSchema, Schema>,
    schema: Relations<Schema>,
    nestedIndex?: number,
  ) {
    super(kind, dialect, session, schema, nestedIndex);
    this.#dialect = dialect;
    this.#session = session;
  }

  override transaction<T>(
    work: (tx: SQLiteTransaction<'async', RunResult, FullSchema, Schema>) => Promise<T>,
  ): Promise<T> {
    const savepoint = `sp${this.nestedIndex}`;
    const depth = this.nestedIndex + 1;
    const tx = new Transaction('async', this.#dialect, this.#session, this.schema, depth);
    return inSavepoint(
      savepoint,
      (words) => tx.run(words),
      () => work(tx),
    );
  }
}

class PreparedQuery extends SQLitePreparedQuery<PreparedQueryConfig & { type: 'async' }> {
  readonly #on: Queryable;
  readonly #query: Query;
  readonly #reading: Reading;
  readonly #logger: SessionSettings['logger'];

  constructor(
    on: Queryable,
    query: Query,
    method: SQLiteExecuteMethod,
    reading: Reading,
    { logger, cache }: SessionSettings,
    metadata: QueryMetadata,
    cacheConfig: WithCacheConfig | undefined,
  ) {
    super('async', method, query, cache, metadata, cacheConfig);
    this.#on = on;
    this.#query = query;
    this.#reading = reading;
    this.#logger = logger;
  }

  run(placeholderValues?: Record<string, unknown>): Promise<RunResult> {
    return this.#run(placeholderValues, OBJECTS, ({ library, affectedRows, insertId }) =>
      // With RETURNING the library hands out rows instead.
      Array.isArray(library)
        ? { changes: affectedRows, lastInsertRowid: insertId ?? 0 }
        : (library as RunResult),
    );
  }

  async all(placeholderValues?: Record<string, unknown>): Promise<unknown[]> {
    const { fields, mapper } = this.#reading;
    if (!fields && !mapper) return this.#run(placeholderValues, OBJECTS, ({ rows }) => rows);
    const rows = await this.values(placeholderValues);
    return mapRows(this, rows, fields, mapper) as unknown[];
  }

  async get(placeholderValues?: Record<string, unknown>): Promise<unknown> {
    const { fields, mapper } = this.#reading;
    if (!fields && !mapper) return this.#run(placeholderValues, OBJECTS, ({ rows }) => rows[0]);
    const [row] = await this.values(placeholderValues);
    if (!row) return undefined;
    const mapped = mapRows(this, [row], fields, mapper);
    // A mapper of the relational queries gives the one row; the others a list of it.
    return mapper ? mapped : (mapped as unknown[])[0];
  }

  values(placeholderValues?: Record<string, unknown>): Promise<unknown[][]> {
    return this.#run(placeholderValues, ARRAYS, ({ rows }) => rows as unknown[][]);
  }

  #run<R>(
    placeholderValues: Record<string, unknown> = {},
    options: StatementOptions,
    read: (result: ExecuteResult<unknown>) => R,
  ): Promise<R> {
    const { sql: text, params } = this.#query;
    const values = fillPlaceholders(params, placeholderValues);
    this.#logger.logQuery(text, values);
    return internalsOf(this).queryWithCache(text, values, async () =>
      read(await run(this.#on, text, values, options)),
    );
  }
}

async function beginAs(
  connection: Connection,
  behavior: SQLiteTransactionConfig['behavior'],
): Promise<void> {
  if (behavior === undefined) await connection.begin();
  else await connection.execute(`BEGIN ${behavior}`);
}

const OBJECTS: StatementOptions = { placeholders: 'native', mapping: 'library' };
const ARRAYS: StatementOptions = { ...OBJECTS, rowMode: 'array' };
