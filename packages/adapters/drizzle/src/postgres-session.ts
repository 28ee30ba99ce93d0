import type {
  BeginOptions,
  Connection,
  Database,
  ExecuteResult,
  Queryable,
  StatementOptions,
} from '@dal/core';
import type { WithCacheConfig } from 'drizzle-orm/cache/core/types';
import type { NodePgQueryResultHKT } from 'drizzle-orm/node-postgres';
import type { PgDialect } from 'drizzle-orm/pg-core';
import {
  PgPreparedQuery,
  PgSession,
  PgTransaction,
  type PgTransactionConfig,
  type PreparedQueryConfig,
} from 'drizzle-orm/pg-core/session';
import type { TablesRelationalConfig } from 'drizzle-orm/relations';
import { fillPlaceholders, type Query, type SQL } from 'drizzle-orm/sql';
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
import { inSavepoint, inTransaction, ISOLATIONS } from './transaction.ts';

/** Sends Drizzle's queries to the database, or to a connection that is in a transaction. */
export class PostgresSession<
  FullSchema extends Record<string, unknown>,
  Schema extends TablesRelationalConfig,
> extends PgSession<NodePgQueryResultHKT, FullSchema, Schema> {
  readonly #db: Database;
  readonly #on: Queryable;
  readonly #schema: Relations<Schema>;
  readonly #settings: SessionSettings;

  constructor(
    db: Database,
    on: Queryable,
    dialect: PgDialect,
    schema: Relations<Schema>,
    settings: SessionSettings,
  ) {
    super(dialect);
    this.#db = db;
    this.#on = on;
    this.#schema = schema;
    this.#settings = settings;
  }

  prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig>(
    query: Query,
    fields: SelectedFields,
    // The layer names prepared statements by itself.
    _name: string | undefined,
    _isInArrayMode: boolean,
    mapper?: ResultMapper,
    metadata?: QueryMetadata,
    cacheConfig?: WithCacheConfig,
  ): PgPreparedQuery<T> {
    const reading = { fields, mapper };
    return new PreparedQuery<T>(this.#on, query, reading, this.#settings, metadata, cacheConfig);
  }

  transaction<T>(
    work: (tx: PgTransaction<NodePgQueryResultHKT, FullSchema, Schema>) => Promise<T>,
    config: PgTransactionConfig = {},
  ): Promise<T> {
    const begin = (connection: Connection): Promise<void> => connection.begin(beginOptions(config));
    return inTransaction(this.#db, begin, (connection) => {
      const session = new PostgresSession<FullSchema, Schema>(
        this.#db,
        connection,
        this.dialect,
        this.#schema,
        this.#settings,
      );
      return work(new Transaction(this.dialect, session, this.#schema));
    });
  }

  override async count(query: SQL): Promise<number> {
    const { rows } = await this.execute<{ rows: { count: unknown }[] }>(query);
    return Number(rows[0]?.count);
  }
}

class Transaction<
  FullSchema extends Record<string, unknown>,
  Schema extends TablesRelationalConfig,
> extends PgTransaction<NodePgQueryResultHKT, FullSchema, Schema> {
  readonly #session: PostgresSession<FullSchema, Schema>;
  readonly #dialect: PgDialect;

  constructor(
    dialect: PgDialect,
    session: PostgresSession<FullSchema, Schema>,
    schema: Relations<Schema>,
    nestedIndex?: number,
  ) {
    super(dialect, session, schema, nestedIndex);
    this.#dialect = dialect;
    this.#session = session;
  }

  override transaction<T>(
    work: (tx: PgTransaction<NodePgQueryResultHKT, FullSchema, Schema>) => Promise<T>,
  ): Promise<T> {
    const savepoint = `sp${this.nestedIndex + 1}`;
    const tx = new Transaction(this.#dialect, this.#session, this.schema, this.nestedIndex + 1);
    return inSavepoint(
      savepoint,
      (words) => tx.execute(words),
      () => work(tx),
    );
  }
}

class PreparedQuery<T extends PreparedQueryConfig> extends PgPreparedQuery<T> {
  readonly #on: Queryable;
  readonly #reading: Reading;
  readonly #logger: SessionSettings['logger'];

  constructor(
    on: Queryable,
    query: Query,
    reading: Reading,
    { logger, cache }: SessionSettings,
    metadata: QueryMetadata,
    cacheConfig: WithCacheConfig | undefined,
  ) {
    super(query, cache, metadata, cacheConfig);
    this.#on = on;
    this.#reading = reading;
    this.#logger = logger;
  }

  async execute(placeholderValues: Record<string, unknown> = {}): Promise<T['execute']> {
    const { fields, mapper } = this.#reading;
    if (!fields && !mapper) {
      return this.#run(placeholderValues, OBJECTS, ({ library }) => library);
    }
    const rows = await this.#run(placeholderValues, ARRAYS, (result) => result.rows as unknown[][]);
    return mapRows(this, rows, fields, mapper);
  }

  all(placeholderValues: Record<string, unknown> = {}): Promise<T['all']> {
    return this.#run(placeholderValues, OBJECTS, ({ rows }) => rows);
  }

  #run<R>(
    placeholderValues: Record<string, unknown>,
    options: StatementOptions,
    read: (result: ExecuteResult<unknown>) => R,
  ): Promise<R> {
    const { sql: text, params } = this.query;
    const values = fillPlaceholders(params, placeholderValues);
    this.#logger.logQuery(text, values);
    return internalsOf(this).queryWithCache(text, values, async () =>
      read(await run(this.#on, text, values, options)),
    );
  }
}

/** date, timestamp, interval, and lists of them and of numeric. */
const TEXTS: ReadonlySet<number> = new Set([1082, 1114, 1184, 1186, 1182, 1115, 1185, 1187, 1231]);

/** Drizzle's columns read these from the server's text; all others are read as `pg` does. */
const types = { getTypeParser: (oid: number) => (TEXTS.has(oid) ? asText : undefined) };

function asText(text: string): string {
  return text;
}

const OBJECTS: StatementOptions = {
  placeholders: 'native',
  mapping: 'library',
  libraryOptions: { types },
};
const ARRAYS: StatementOptions = { ...OBJECTS, rowMode: 'array' };

function beginOptions({
  isolationLevel,
  accessMode,
  deferrable,
}: PgTransactionConfig): BeginOptions {
  return {
    ...(isolationLevel ? { isolation: ISOLATIONS[isolationLevel] } : {}),
    ...(accessMode ? { readOnly: accessMode === 'read only' } : {}),
    ...(deferrable === undefined ? {} : { deferrable }),
  };
}
