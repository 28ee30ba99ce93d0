import {
  type Connection,
  type Database,
  libraryError,
  type Queryable,
  type StatementOptions,
} from '@dal/core';
import type { WithCacheConfig } from 'drizzle-orm/cache/core/types';
import type { MySqlDialect } from 'drizzle-orm/mysql-core';
import {
  type Mode,
  MySqlPreparedQuery,
  type MySqlPreparedQueryConfig,
  type MySqlPreparedQueryHKT,
  MySqlSession,
  MySqlTransaction,
  type MySqlTransactionConfig,
  type PreparedQueryKind,
} from 'drizzle-orm/mysql-core/session';
import type { MySql2PreparedQueryHKT, MySql2QueryResultHKT } from 'drizzle-orm/mysql2';
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
import { type GeneratedIds, returnedIds } from './returned-ids.ts';
import { run } from './run.ts';
import { inSavepoint, inTransaction, ISOLATIONS } from './transaction.ts';

type MysqlSettings = SessionSettings & { readonly mode: Mode };

/** Sends Drizzle's queries to the database, or to a connection that is in a transaction. */
export class MysqlSession<
  FullSchema extends Record<string, unknown>,
  Schema extends TablesRelationalConfig,
> extends MySqlSession<MySql2QueryResultHKT, MySql2PreparedQueryHKT, FullSchema, Schema> {
  readonly #db: Database;
  readonly #on: Queryable;
  readonly #schema: Relations<Schema>;
  readonly #settings: MysqlSettings;

  constructor(
    db: Database,
    on: Queryable,
    dialect: MySqlDialect,
    schema: Relations<Schema>,
    settings: MysqlSettings,
  ) {
    super(dialect);
    this.#db = db;
    this.#on = on;
    this.#schema = schema;
    this.#settings = settings;
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as the base class has it
  prepareQuery<T extends MySqlPreparedQueryConfig, HKT extends MySqlPreparedQueryHKT>(
    query: Query,
    fields: SelectedFields,
    mapper?: ResultMapper,
    generatedIds?: GeneratedIds,
    returningIds?: SelectedFields,
    metadata?: QueryMetadata,
    cacheConfig?: WithCacheConfig,
  ): PreparedQueryKind<HKT, T> {
    const reading = { fields, mapper, generatedIds, returningIds };
    return new PreparedQuery<T>(this.#on, query, reading, this.#settings, metadata, cacheConfig);
  }

  async all<T = unknown>(query: SQL): Promise<T[]> {
    const { sql: text, params } = this.dialect.sqlToQuery(query);
    this.#settings.logger.logQuery(text, params);
    const { rows } = await run<T>(this.#on, text, params, PLAIN);
    return rows;
  }

  transaction<T>(
    work: (
      tx: MySqlTransaction<MySql2QueryResultHKT, MySql2PreparedQueryHKT, FullSchema, Schema>,
    ) => Promise<T>,
    config?: MySqlTransactionConfig,
  ): Promise<T> {
    return inTransaction(
      this.#db,
      (connection) => begin(connection, config),
      (connection) => {
        const { mode } = this.#settings;
        const session = new MysqlSession<FullSchema, Schema>(
          this.#db,
          connection,
          this.dialect,
          this.#schema,
          this.#settings,
        );
        return work(new Transaction(this.dialect, session, this.#schema, 0, mode));
      },
    );
  }
}

class Transaction<
  FullSchema extends Record<string, unknown>,
  Schema extends TablesRelationalConfig,
> extends MySqlTransaction<MySql2QueryResultHKT, MySql2PreparedQueryHKT, FullSchema, Schema> {
  readonly #dialect: MySqlDialect;
  readonly #session: MysqlSession<FullSchema, Schema>;
  readonly #mode: Mode;

  constructor(
    dialect: MySqlDialect,
    session: MysqlSession<FullSchema, Schema>,
    schema: Relations<Schema>,
    nestedIndex: number,
    mode: Mode,
  ) {
    super(dialect, session as unknown as MySqlSession, schema, nestedIndex, mode);
    this.#dialect = dialect;
    this.#session = session;
    this.#mode = mode;
  }

  override transaction<T>(
    work: (
      tx: MySqlTransaction<MySql2QueryResultHKT, MySql2PreparedQueryHKT, FullSchema, Schema>,
    ) => Promise<T>,
  ): Promise<T> {
    const depth = this.nestedIndex + 1;
    const savepoint = `sp${depth}`;
    const tx = new Transaction(this.#dialect, this.#session, this.schema, depth, this.#mode);
    return inSavepoint(
      savepoint,
      (words) => tx.execute(words),
      () => work(tx),
    );
  }
}

/** For `$returningId()` besides. */
interface InsertReading extends Reading {
  readonly generatedIds: GeneratedIds;
  readonly returningIds: SelectedFields;
}

class PreparedQuery<T extends MySqlPreparedQueryConfig> extends MySqlPreparedQuery<T> {
  readonly #on: Queryable;
  readonly #query: Query;
  readonly #reading: InsertReading;
  readonly #logger: SessionSettings['logger'];

  constructor(
    on: Queryable,
    query: Query,
    reading: InsertReading,
    { logger, cache }: SessionSettings,
    metadata: QueryMetadata,
    cacheConfig: WithCacheConfig | undefined,
  ) {
    super(cache, metadata, cacheConfig);
    this.#on = on;
    this.#query = query;
    this.#reading = reading;
    this.#logger = logger;
  }

  async execute(placeholderValues: Record<string, unknown> = {}): Promise<T['execute']> {
    const { fields, mapper, generatedIds, returningIds } = this.#reading;
    const values = this.#values(placeholderValues);
    const answer = await internalsOf(this).queryWithCache(this.#query.sql, values, async () => {
      const options = fields || mapper ? ARRAYS : OBJECTS;
      const { library } = await run(this.#on, this.#query.sql, values, options);
      return library as [unknown, unknown];
    });
    if (fields || mapper) return mapRows(this, answer[0] as unknown[][], fields, mapper);
    return returningIds ? returnedIds(answer[0], returningIds, generatedIds) : answer;
  }

  /** One row after the other, never all of them in memory. */
  async *iterator(
    placeholderValues: Record<string, unknown> = {},
  ): AsyncGenerator<T['iterator'], void, undefined> {
    const { fields, mapper } = this.#reading;
    const values = this.#values(placeholderValues);
    const options = fields || mapper ? ARRAYS : OBJECTS;
    try {
      for await (const row of this.#on.stream(this.#query.sql, values, options).rows()) {
        if (fields || mapper) {
          const mapped = mapRows(this, [row as unknown as unknown[]], fields, mapper);
          yield Array.isArray(mapped) ? mapped[0] : mapped;
        } else {
          yield row as Awaited<T['iterator']>;
        }
      }
    } catch (error) {
      throw libraryError(error);
    }
  }

  #values(placeholderValues: Record<string, unknown>): unknown[] {
    const values = fillPlaceholders(this.#query.params, placeholderValues);
    this.#logger.logQuery(this.#query.sql, values);
    return values;
  }
}

/** As the layer says it, but for what only MySQL knows. */
async function begin(connection: Connection, config?: MySqlTransactionConfig): Promise<void> {
  const { isolationLevel, accessMode, withConsistentSnapshot } = config ?? {};
  if (!withConsistentSnapshot) {
    return connection.begin({
      ...(isolationLevel ? { isolation: ISOLATIONS[isolationLevel] } : {}),
      ...(accessMode ? { readOnly: accessMode === 'read only' } : {}),
    });
  }
  if (isolationLevel) {
    await connection.execute(`SET TRANSACTION ISOLATION LEVEL ${isolationLevel}`);
  }
  const access = accessMode ? `, ${accessMode}` : '';
  await connection.execute(`START TRANSACTION WITH CONSISTENT SNAPSHOT${access}`);
}

interface MysqlField {
  readonly type: string;
  string(): string | null;
}

/** Drizzle's columns read moments from the server's text; all else is read as mysql2 does. */
function typeCast(field: MysqlField, next: () => unknown): unknown {
  switch (field.type) {
    case 'TIMESTAMP':
    case 'DATETIME':
    case 'DATE':
      return field.string();
    case 'FLOAT':
      return shortFloat(next());
    default:
      return next();
  }
}

/** As the server writes it: prepared statements send the float nearest to 0.1, 0.10000000149011612. */
function shortFloat(value: unknown): unknown {
  if (typeof value !== 'number') return value;
  const short = Number(value.toPrecision(6));
  return Math.fround(short) === Math.fround(value) ? short : value;
}

const PLAIN: StatementOptions = { placeholders: 'native', mapping: 'library' };
const OBJECTS: StatementOptions = { ...PLAIN, libraryOptions: { typeCast } };
const ARRAYS: StatementOptions = { ...OBJECTS, rowMode: 'array' };
