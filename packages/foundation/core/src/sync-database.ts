/* oxlint-disable typescript/no-unnecessary-type-parameters -- what a row is, the caller says; around the awaited twins' rows a promise hides that from the rule */
import type {
  AcquireOptions,
  BulkInsertOptions,
  ExecuteResult,
  Row,
  StatementOptions,
  StreamOptions,
  TransactionOptions,
  Values,
} from './database.ts';
import type { Dialect } from './dialect.ts';
import type { DriverVersion } from './driver.ts';
import type { Sql } from './sql.ts';

/** Batches of rows from a blocking stream; leaving the loop early frees the connection. */
export interface SyncRowStream<R> extends Iterable<R[]> {
  /** The same rows one by one. */
  rows(): Iterable<R>;
}

/**
 * What runs statements while the thread waits: the blocking twin of `Queryable`, with its results,
 * errors and timeouts. Nothing else happens in the thread meanwhile, so a `signal` counts only when
 * it was aborted before the call.
 */
export interface SyncQueryable {
  readonly dialect: Dialect;
  /** The rows, as objects. */
  query<R = Row>(text: string, values?: Values, options?: StatementOptions): R[];
  query<R = Row>(statement: Sql, options?: StatementOptions): R[];
  /** The row, or undefined when there is none. @throws TooManyRowsError for two rows or more */
  queryOne<R = Row>(text: string, values?: Values, options?: StatementOptions): R | undefined;
  queryOne<R = Row>(statement: Sql, options?: StatementOptions): R | undefined;
  /** The one row. @throws RowCountError when there is none, or more than one */
  queryExactlyOne<R = Row>(text: string, values?: Values, options?: StatementOptions): R;
  queryExactlyOne<R = Row>(statement: Sql, options?: StatementOptions): R;
  /** The first column of the only row, or undefined when there is no row. */
  queryValue<V = unknown>(text: string, values?: Values, options?: StatementOptions): V | undefined;
  queryValue<V = unknown>(statement: Sql, options?: StatementOptions): V | undefined;
  /** Rows and all that the server says beside them. */
  execute<R = Row>(text: string, values?: Values, options?: StatementOptions): ExecuteResult<R>;
  execute<R = Row>(statement: Sql, options?: StatementOptions): ExecuteResult<R>;
  /** The same statement for every row of values, all or nothing. */
  executeMany(
    text: string,
    rows: Iterable<Values>,
    options?: StatementOptions,
  ): { readonly affectedRows: number };
  /** Batches of rows; leaving the loop early frees the connection. */
  stream<R = Row>(text: string, values?: Values, options?: StreamOptions): SyncRowStream<R>;
  stream<R = Row>(statement: Sql, options?: StreamOptions): SyncRowStream<R>;
  /** Rows into a table, by the engine's fastest way; all or nothing. */
  bulkInsert(
    table: string | readonly [schema: string, table: string],
    rows: Iterable<Readonly<Record<string, unknown>> | Values>,
    options?: BulkInsertOptions,
  ): { readonly affectedRows: number };
}

/** Runs statements inside one transaction; ends with the callback that received it. */
export interface SyncTransaction extends SyncQueryable {
  /** A savepoint: what the callback did is undone when it throws, the rest stays. */
  transaction<T>(callback: (tx: SyncTransaction) => T): T;
}

/** One lent session, with whatever is set in it; goes back when the callback returns. */
export interface SyncConnection extends SyncQueryable {
  /** What the server said last, so a `BEGIN` sent as plain SQL counts too. */
  readonly inTransaction: boolean;
  begin(options?: Omit<TransactionOptions, 'retries'>): void;
  commit(): void;
  rollback(): void;
  transaction<T>(
    callback: (tx: SyncTransaction) => T,
    options?: Omit<TransactionOptions, 'retries'>,
  ): T;
  version(): DriverVersion;
}

/** The blocking twin of a database; it has connections of its own. */
export interface SyncDatabase extends SyncQueryable, Disposable {
  /** For messages, logs and metrics. */
  readonly name: string;
  /** Opens a connection now, so that a wrong password is known at the start. Optional. */
  connect(): void;
  /** Lends one session for the time of the callback. */
  connection<T>(callback: (connection: SyncConnection) => T, options?: AcquireOptions): T;
  /**
   * Commits what the callback did, or undoes it when it throws.
   *
   * @throws ConfigError `DAL_SYNC_ASYNC_CALLBACK` when the callback returns a promise: its
   * statements could only run after the transaction's end. All is rolled back.
   */
  transaction<T>(callback: (tx: SyncTransaction) => T, options?: TransactionOptions): T;
  version(options?: AcquireOptions): DriverVersion;
  /** Asks the server for a sign of life. Throws when there is none in time. */
  ping(options?: AcquireOptions): void;
  /** Like `ping`, as an answer. */
  isHealthy(options?: AcquireOptions): boolean;
  /** Ends every session, also those of callbacks that are under way. Safe to call twice. */
  close(): void;
}
