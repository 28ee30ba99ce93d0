import type { BeginOptions, Dialect } from './dialect.ts';
import type { Column, DriverConnection, DriverVersion, NativeResult } from './driver.ts';
import type { HookRegistry } from './hooks.ts';
import type { MigrateOptions, MigrationReport } from './migrations.ts';
import type { ObservedDatabase } from './observed.ts';
import type { ScalingAdvice } from './scaling.ts';
import type { MaintenanceMessage, Schema, SchemaOptions } from './schema.ts';
import type { Sql } from './sql.ts';
import type { StatementCacheStats } from './statement-cache.ts';
import type { SyncDatabase } from './sync-database.ts';

export type Row = Record<string, unknown>;
export type Values = readonly unknown[];

export interface StatementOptions {
  /** How long the statement may take, waiting and retries included. Milliseconds or `"10s"`. */
  readonly timeoutMs?: number | string;
  /** Stops the statement on the server too. */
  readonly signal?: AbortSignal;
  /** Added behind the statement as a comment, for the server's logs. */
  readonly tags?: Readonly<Record<string, string | number | boolean>>;
  /** The statement may run twice without harm, so it may be retried when its outcome is unknown. */
  readonly idempotent?: boolean;
  /** `array`: rows are arrays in the order of the columns. Default: `object`. */
  readonly rowMode?: 'object' | 'array';
  /** `native`: the text has the engine's own placeholders. Default: `?`. */
  readonly placeholders?: 'native';
  /**
   * `library`: values go in and come out as the driver's library does it by default, for code that was
   * written for it. Default: `dal`, one mapping on every engine.
   */
  readonly mapping?: 'dal' | 'library';
  /**
   * With `mapping: 'library'`: what the library itself takes for one statement and the layer has no word
   * for, such as `types` of pg, or `typeCast`, `dateStrings` and `nestTables` of mysql2. Default: none.
   */
  readonly libraryOptions?: LibraryOptions;
}

/** In the words of the driver's library; see the driver's page for those that it takes. */
export type LibraryOptions = Readonly<Record<string, unknown>>;

export interface StreamOptions extends StatementOptions {
  /** Rows in a batch. Default: 1,000. */
  readonly batchSize?: number;
}

export interface AcquireOptions {
  /** How long to wait for a connection. Default: the pool's `acquireTimeoutMs`. */
  readonly timeoutMs?: number | string;
  /** Gives up the wait. */
  readonly signal?: AbortSignal;
  /** Who asks, for reports of leaks: an Error that was made there. Default: who calls. */
  readonly origin?: Error;
}

export interface TransactionOptions extends BeginOptions {
  /** How often the whole callback may run again after a deadlock or serialization failure. Default: 0. */
  readonly retries?: number;
  /** For everything from `acquire` to `COMMIT`, retries included. Default: none. */
  readonly timeoutMs?: number | string;
  /** Stops the statement that runs, and rolls back. */
  readonly signal?: AbortSignal;
  /** Refuses a second statement while one is under way, instead of letting it wait. Default: false. */
  readonly strictConcurrency?: boolean;
  /** Refuses DDL where the server would commit the transaction for it (MySQL). Default: false. */
  readonly strictDdl?: boolean;
}

export interface BulkInsertOptions {
  /**
   * The columns to fill. Default: the keys of the first row; then a later row with another key is an
   * error. A column that a row (as an object) has not, or has as undefined, gets NULL.
   */
  readonly columns?: readonly string[];
  /** For the whole load. Milliseconds or `"10s"`. Default: none; each step has the statement's time. */
  readonly timeoutMs?: number | string;
  /** Ends the load; nothing of it stays. */
  readonly signal?: AbortSignal;
}

/** Rows as objects, or as arrays together with `columns`. */
export type BulkRows =
  | Iterable<Readonly<Record<string, unknown>> | Values>
  | AsyncIterable<Readonly<Record<string, unknown>> | Values>;

/**
 * Batches of rows, for one loop. Nothing is sent before it begins; leaving it early frees the
 * connection. Without `timeoutMs` every batch has the statement's time, and the time that the loop's
 * body takes counts for nobody.
 */
export interface RowStream<R> extends AsyncIterable<R[]> {
  /** The same rows one by one; instead of the loop over batches. */
  rows(): AsyncIterable<R>;
}

/**
 * The driver's own connection, for what only this engine can do. Each call has what a statement has:
 * its turn on the connection, its deadline, the stop on the server, judged errors.
 */
export interface NativeAccess {
  /**
   * One call; never repeated, for what it reads from may be used up.
   *
   * @param label what is shown in messages, such as the statement; never its values
   */
  run(
    label: string,
    call: (connection: DriverConnection) => Promise<NativeResult>,
    options?: NativeOptions,
  ): Promise<NativeResult>;
  /** A call that answers piece by piece; the connection is held for as long as the loop runs. */
  stream<T>(
    label: string,
    open: (connection: DriverConnection) => AsyncIterable<T>,
    options?: NativeOptions,
  ): AsyncIterable<T>;
}

export interface NativeOptions {
  /**
   * For the whole call. Milliseconds or `"10s"`; Infinity: none. Default: the time of a statement; in a
   * stream, for each piece.
   */
  readonly timeoutMs?: number | string;
  readonly signal?: AbortSignal;
}

export interface ExecuteResult<R = Row> {
  readonly rows: R[];
  readonly affectedRows: number;
  /** The id the server made up, where it says so (MySQL, MariaDB, SQLite). PostgreSQL: use RETURNING. */
  readonly insertId: number | bigint | undefined;
  readonly command: string | undefined;
  readonly columns: readonly Column[];
  /**
   * With `mapping: 'library'`: the answer as the library itself gives it, rows included; see the driver's
   * page for its shape.
   */
  readonly library?: unknown;
}

/** What runs statements: a database, a connection or a transaction. */
export interface Queryable {
  readonly dialect: Dialect;
  /** Tables, columns and databases. @throws ConfigError on use when the driver has no catalog */
  readonly schema: Schema;
  /** The rows, as objects. */
  query<R = Row>(text: string, values?: Values, options?: StatementOptions): Promise<R[]>;
  query<R = Row>(statement: Sql, options?: StatementOptions): Promise<R[]>;
  /** The row, or undefined when there is none. @throws TooManyRowsError for two rows or more */
  queryOne<R = Row>(
    text: string,
    values?: Values,
    options?: StatementOptions,
  ): Promise<R | undefined>;
  queryOne<R = Row>(statement: Sql, options?: StatementOptions): Promise<R | undefined>;
  /** The one row. @throws RowCountError when there is none, or more than one */
  queryExactlyOne<R = Row>(text: string, values?: Values, options?: StatementOptions): Promise<R>;
  queryExactlyOne<R = Row>(statement: Sql, options?: StatementOptions): Promise<R>;
  /** The first column of the only row, or undefined when there is no row. */
  queryValue<V = unknown>(
    text: string,
    values?: Values,
    options?: StatementOptions,
  ): Promise<V | undefined>;
  queryValue<V = unknown>(statement: Sql, options?: StatementOptions): Promise<V | undefined>;
  /** Rows and all that the server says beside them. */
  execute<R = Row>(
    text: string,
    values?: Values,
    options?: StatementOptions,
  ): Promise<ExecuteResult<R>>;
  execute<R = Row>(statement: Sql, options?: StatementOptions): Promise<ExecuteResult<R>>;
  /** The same statement for every row of values, all or nothing; the time counts for all of them. */
  executeMany(
    text: string,
    rows: Iterable<Values> | AsyncIterable<Values>,
    options?: StatementOptions,
  ): Promise<{ readonly affectedRows: number }>;
  /** For packages that stand on one driver, such as its COPY. */
  readonly native: NativeAccess;
  /** Batches of rows; leaving the loop early frees the connection. */
  stream<R = Row>(text: string, values?: Values, options?: StreamOptions): RowStream<R>;
  stream<R = Row>(statement: Sql, options?: StreamOptions): RowStream<R>;
  /**
   * Rows into a table, by the engine's fastest way; all or nothing. `table` may be `schema.table`
   * as a list: `['audit', 'events']`.
   */
  bulkInsert(
    table: string | readonly [schema: string, table: string],
    rows: BulkRows,
    options?: BulkInsertOptions,
  ): Promise<{ readonly affectedRows: number }>;
}

/** Runs statements inside one transaction; ends with the callback that received it. */
export interface Transaction extends Queryable {
  /** A savepoint: what the callback did is undone when it throws, the rest stays. */
  transaction<T>(callback: (tx: Transaction) => Promise<T>): Promise<T>;
}

/** One lent session, with whatever is set in it. Give it back with `await using` or `release()`. */
export interface Connection extends Queryable, AsyncDisposable {
  /** The underlying library's object. Reading it means the session is reset when it comes back. */
  readonly raw: unknown;
  /** What the server said last, so a `BEGIN` sent as plain SQL counts too. */
  readonly inTransaction: boolean;
  /**
   * Opens a transaction that `commit` or `rollback` ends. With `timeoutMs` or `signal` it is rolled
   * back when the time is over, and its later statements are refused.
   */
  begin(options?: Omit<TransactionOptions, 'retries'>): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** A transaction on this session; a savepoint when one is open already. */
  transaction<T>(
    callback: (tx: Transaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;
  version(): Promise<DriverVersion>;
  /** Says that the connection is still in use, so it is not reported as leaked. */
  touch(): void;
  /** Back to the pool. @throws PoolError when it was given back already */
  release(): Promise<void>;
  /** Ends the session instead of giving it back. */
  destroy(): Promise<void>;
}

export interface Database extends Queryable, AsyncDisposable {
  /** For messages, logs and metrics. */
  readonly name: string;
  /** Names the configuration, the same in every process and without its secrets, see `configHash`. */
  readonly configHash: string;
  readonly pool: PoolView;
  /** What messages on the channels call this database and its pool. */
  readonly observed: ObservedDatabase;
  readonly hooks: HookRegistry;
  /**
   * The same verbs, blocking, on connections of their own; with `@dal/sync`.
   *
   * @throws ConfigError `DAL_SYNC_MISSING` before `enableSync()` was called
   */
  readonly sync: SyncDatabase;
  /**
   * Runs the migrations of a folder that have not run yet; with `@dal/migrate`.
   *
   * @throws ConfigError `DAL_MIGRATE_MISSING` before `enableMigrate()` was called
   */
  migrate(options: MigrateOptions): Promise<MigrationReport>;
  /**
   * Whether the pool has what it is asked for, and what to do first if not; with `@dal/scaling`. Sends
   * nothing.
   *
   * @throws ConfigError `DAL_SCALING_MISSING` before `enableScaling()` was called
   */
  scaling(): ScalingAdvice;
  /** What the database is called and does now; sends nothing. */
  status(): DatabaseStatus;
  /**
   * Opens a connection now, so that a wrong password is known at the start, and as many as `pool.min`
   * asks for. Optional.
   */
  connect(): Promise<void>;
  /**
   * Lends one session until it is given back. What is done first with it, a statement or `begin`, may run
   * again on another session where one of `query` might: nothing depends on the session yet.
   */
  acquire(options?: AcquireOptions): Promise<Connection>;
  /** Lends one session for the time of the callback. */
  connection<T>(
    callback: (connection: Connection) => Promise<T>,
    options?: AcquireOptions,
  ): Promise<T>;
  transaction<T>(
    callback: (tx: Transaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;
  version(options?: AcquireOptions): Promise<DriverVersion>;
  /**
   * Renews what the planner knows of a table (ANALYZE).
   *
   * @throws QueryError when there is no such table, or the engine did not do it
   */
  analyzeTable(table: string, options?: SchemaOptions): Promise<MaintenanceMessage[]>;
  /**
   * Gives back the space of deleted rows and analyzes: VACUUM on PostgreSQL, OPTIMIZE TABLE on MySQL
   * and MariaDB, VACUUM of the whole file on SQLite. May take long: mind `timeoutMs`.
   *
   * @throws QueryError when there is no such table, or the engine did not do it
   */
  optimizeTable(table: string, options?: SchemaOptions): Promise<MaintenanceMessage[]>;
  /** Asks the server for a sign of life. Rejects when there is none in time. */
  ping(options?: AcquireOptions): Promise<void>;
  /** Like `ping`, as an answer. */
  isHealthy(options?: AcquireOptions): Promise<boolean>;
  /**
   * Lends nothing more, waits for what is lent, then stops what still runs, rolls back what is open,
   * and ends every session. Nothing is ever committed by it. Safe to call twice; the second call may
   * shorten the time.
   */
  close(options?: CloseOptions): Promise<CloseReport>;
}

export interface CloseOptions {
  /** For all of it; nearly all of it is for waiting for lent connections. Default: 60 s. */
  readonly timeoutMs?: number | string;
  /** Do not wait. Default: false. */
  readonly force?: boolean;
}

/** How a database came to its end. */
export interface CloseReport {
  /** Who still held a connection when the time was over, longest first. */
  readonly heldOn: readonly LeaseReport[];
  /** Connections that were ended without a goodbye. */
  readonly destroyed: number;
  readonly durationMs: number;
}

export interface DatabaseStatus {
  readonly name: string;
  readonly configHash: string;
  /** `idle`: nothing is open, or was ever opened. */
  readonly state: 'idle' | 'open' | 'closing' | 'closed';
  readonly pool: PoolStats;
}

export interface PoolView {
  /** What the pool goes by: its options, a profile's and the defaults together. */
  readonly settings: PoolSettings;
  stats(): PoolStats;
  /** Connections that are lent for too long without a statement. */
  leaks(): readonly LeaseReport[];
  /** Everybody who holds a connection now, longest first. */
  holders(): readonly LeaseReport[];
}

/** What a program is like, as far as its pool is concerned. */
export type PoolProfile = 'web' | 'worker' | 'pipeline' | 'serverless';

/** See the options of the same names in `@dal/pool`. */
export interface PoolSettings {
  readonly profile: PoolProfile | undefined;
  readonly min: number;
  readonly max: number;
  readonly overflow: number;
  readonly acquireTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
  /** 0: always; Infinity: never. */
  readonly validate: { readonly afterIdleMs: number };
  readonly healthCheckIntervalMs: number;
  readonly maxWaiting: number;
  readonly leakThresholdMs: number;
  readonly acquireStacks: 'always' | 'sampled' | 'never';
  readonly failFast: boolean;
  readonly autoScale: { readonly up: number; readonly down: number } | undefined;
}

export interface PoolStats {
  readonly size: number;
  readonly idle: number;
  readonly lent: number;
  readonly waiting: number;
  readonly connecting: number;
  readonly max: number;
  /** What the pool keeps to now, between `min` and `max`. */
  readonly target: number;
  /** The most that were lent at the same time. */
  readonly peakLent: number;
  /** Counts since the start. */
  readonly created: number;
  readonly destroyed: number;
  /** Of `destroyed`: replaced because their time was over. */
  readonly recycled: number;
  readonly acquired: number;
  readonly released: number;
  /** Everybody who asked for a connection and got none, for whatever reason. */
  readonly acquireFailures: number;
  /** Of `acquireFailures`: waited in vain. */
  readonly acquireTimeouts: number;
  /** Of `acquireFailures`: found too many waiting already. */
  readonly acquireRefused: number;
  /**
   * Of those two: while every connection that there may be was open and lent. The others waited for a
   * server that let nobody in.
   */
  readonly acquireSaturated: number;
  readonly connectErrors: number;
  /** Connections that gave no sign of life when they were asked for one. */
  readonly validationErrors: number;
  readonly lostConnections: number;
  /** Loans that were reported as leaked. */
  readonly leaked: number;
  readonly retries: number;
  readonly statementTimeouts: number;
  /** How long callers waited for the connection that they got. */
  readonly wait: Histogram;
  /** How long connections were lent. */
  readonly use: Histogram;
  /** How long it took to open connections. */
  readonly create: Histogram;
  /** Prepared statements of the sessions that are open now, added up. */
  readonly statements: StatementCacheStats;
}

/** Lengths of time since the start, in buckets. */
export interface Histogram {
  /** Upper ends of the buckets; `counts` has one more, for what was longer. */
  readonly boundsMs: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
}

/** Who holds a connection. */
export interface LeaseReport {
  readonly heldMs: number;
  /** Since the end of its last statement, or since it was lent. */
  readonly idleMs: number;
  /** A statement runs on it; what is lent for a statement is no leak, however long that takes. */
  readonly running: boolean;
  /** The last statement's text, without values. */
  readonly lastStatement: string | undefined;
  readonly tags: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Where the connection was acquired, when stacks are taken. */
  readonly stack: string | undefined;
}
