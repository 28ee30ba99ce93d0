import type { LibraryOptions } from './database.ts';
import type { BeginOptions, Dialect } from './dialect.ts';
import type { Fault } from './fault.ts';
import type { ServerIdentity } from './observed.ts';
import type { StatementCacheStats } from './statement-cache.ts';

/**
 * What a third party writes to bring a database to the layer.
 *
 * The driver judges, the layer decides: retries, deadlines, pooling and transactions are not its
 * business. Everything marked optional is found by presence; the layer has a default for its absence.
 *
 * @overridable
 */
export interface Driver<Options = unknown, Raw = unknown> {
  /**
   * Short and unique, such as `postgres`: `driver: 'postgres'` finds it, and a database without a name of
   * its own is called so.
   */
  readonly name: string;
  /** URL schemes it answers to, in small letters and with the colon: `['postgres:', 'postgresql:']`. */
  readonly schemes: readonly string[];
  /** The engine's SQL. One object for all databases of the driver; it never changes. */
  readonly dialect: Dialect;
  /**
   * Opens one session, ready for `query`: UTC, strict, outside of a transaction. Called whenever the pool
   * wants one more, several at a time. Ends within `options.connectTimeoutMs` by itself and leaves no
   * socket behind when it fails. Rejects with the library's own error, which `classify` understands.
   *
   * `lost` is called at most once, when the session ends without `close` or `destroy` having been
   * asked for; also while nothing runs. It takes the error, and never throws.
   *
   * `signal` gives the attempt up: its socket is dropped at once, and the promise rejects. A driver that
   * does not take it is waited for.
   */
  connect(
    options: Options,
    lost: (error: unknown) => void,
    signal?: AbortSignal,
  ): Promise<DriverConnection<Raw>>;
  /**
   * Judges any error, its own or a stranger's, from `connect` or from any call of a session; never
   * throws. What it does not know is `{ kind: 'unknown', applied: 'unknown' }`.
   */
  classify(error: unknown): Fault;
  /**
   * Reads user input into checked options; called once for each database, before anything else, and
   * sends nothing. `url` is one of its keys when the user gave a URL; options of the layer (`pool`,
   * `name`, ...) are not in it. Default: the input is taken as it is.
   *
   * @throws ConfigError that names the wrong field, and shows no secret
   */
  configure?(input: Readonly<Record<string, unknown>>): Options;
  /**
   * Adjusts the user's pool options to what these options can bear (a database in memory has one
   * session). Called once, after `configure`. `max` is the most sessions at a time. `keepOne`: the data, or
   * the right to open it, lives in the only session, so no timer ends it and no other database shares it.
   * Default: no bounds but the user's.
   */
  poolOptions?(options: Options): { readonly max?: number; readonly keepOne?: boolean };
  /**
   * Opens a session of the calling thread, whose `querySync` answers before it returns. Undefined
   * when these options ask for something else; blocking calls then go through a worker. Default: always
   * through a worker. Throws the library's own error.
   */
  connectSync?(options: Options): DriverConnection<Raw> | undefined;
  /**
   * The servers that these options name, for databases that live on several. Called once, after
   * `configure`; asks nobody. Default: one, with the options as they are.
   */
  servers?(options: Options): ServerList<Options>;
  /**
   * The database in OpenTelemetry's words, before anything is connected. Default: the driver's name,
   * and the options' `database`, `host` and `port`.
   */
  describe?(options: Options): ServerIdentity;
  /**
   * URL of the module that exports this driver as `driver`, so that a worker can import it. Default:
   * blocking calls through a worker are refused.
   */
  readonly module?: string;
}

/**
 * One session with the server. The layer never runs two calls at once, `cancel` and `destroy` apart.
 *
 * @overridable
 */
export interface DriverConnection<Raw = unknown> {
  /**
   * The underlying library's own object. The layer hands it to the user and counts the session as changed
   * from then on: it is reset, or destroyed, before anybody else has it.
   */
  readonly raw: Raw;
  /**
   * Runs one statement, to its last row. Nothing else runs on the session, and its values fit: none is
   * undefined, JSON is text, and there are lists only with `dialect.arrays`. Rejects with the library's own
   * error, which `classify` understands; on a session that was closed, with a fault that has
   * `connectionLost` and `applied: 'no'`. Two statements in one text are refused and neither runs.
   *
   * No deadline is given: the layer keeps it, and stops the statement by `cancel` or `destroy`.
   */
  query(statement: NativeStatement): Promise<NativeResult>;
  /**
   * Says goodbye and frees everything; resolves when the session's socket or file is closed. Nothing runs;
   * a transaction may be open, and is undone. A second call is harmless. Bounded by the layer, which
   * destroys the session when it takes too long; what it rejects with is not heard.
   */
  close(): Promise<void>;
  /**
   * Drops the session at once, without a word to the server: may come at any moment, also while a statement
   * runs, which then rejects. Twice is harmless. Never throws, and `lost` is not called for it. Default:
   * `close`, not waited for.
   */
  destroy?(): void;
  /**
   * Stops the running statement on the server, which then rejects with kind `cancelled`, or ends as if it
   * had not been stopped. May come when nothing runs any more. Resolves when no later statement can be hit any more
   * (the server has closed the cancel's own connection). Rejects soon when nothing is heard of the
   * server: its session is then destroyed, as it is after 2 s. Default: the session is destroyed instead.
   */
  cancel?(): Promise<void>;
  /** `db.system.name` when the server's greeting told it better than `Driver.describe` could. */
  readonly system?: string;
  /** The server's own number of this session, which `kill` takes. Default: nobody can end it from outside. */
  readonly id?: string;
  /**
   * Ends another session of the same server; called when the answer to its COMMIT was lost. Resolves when it
   * can't commit anything any more, also when it had ended before. Default: its outcome is asked for as it is.
   */
  kill?(id: string): Promise<void>;
  /**
   * Sets the server's own limit for every later statement of this session, the net behind the
   * layer's deadline, in milliseconds; 0 takes it away. Called only when it differs from what is set.
   * Default: there is none.
   */
  limit?(timeoutMs: number): Promise<void>;
  /** Proves the session alive; rejects when it isn't. Default: `dialect.ping` as a statement. */
  ping?(): Promise<void>;
  /**
   * Undoes what a user changed in the session (settings, temporary tables, locks, prepared statements), and
   * sets again what `connect` had set. No transaction is open. When it rejects, the session is destroyed.
   * Default: it is destroyed at once.
   */
  reset?(): Promise<void>;
  /**
   * Yields rows in batches of about `batchSize` (a number of rows, from 1), never more in memory than two of
   * them, and none that is empty. Ending the iteration early frees the session, and leaves an open
   * transaction open. Throws out of the loop what `query` would reject with, never a short success. Default: one `query`, cut into batches.
   */
  stream?(statement: NativeStatement, batchSize: number): AsyncIterable<unknown[]>;
  /**
   * The same statement for each row of values, in order, ended by the first error. Only called inside
   * a transaction. The error may say in `rowIndex` which row it was, counted from 0 in this call.
   * Default: `query` for one after the other.
   */
  queryMany?(
    statement: Omit<NativeStatement, 'values'>,
    rows: readonly (readonly unknown[])[],
  ): Promise<NativeResult>;
  /**
   * Loads rows by the engine's fastest way and answers their number. All or nothing inside the open
   * transaction, in which it is always called. The error may have a `rowIndex` as in `queryMany`; one
   * with `loadRefused: true`, before a batch was asked for, means that this table or server needs
   * INSERT. Default: INSERT of many rows at a time.
   */
  load?(target: LoadTarget, batches: AsyncIterable<LoadBatch>): Promise<number>;
  /** `query` that answers, or throws, before it returns; only on sessions of `connectSync`. */
  querySync?(statement: NativeStatement): NativeResult;
  /** What the session keeps prepared, for the pool's numbers. Default: nothing is counted. */
  statements?(): StatementCacheStats;
  /**
   * What the protocol says of the transaction, after the last answer; never throws. Default: followed from
   * the layer's own calls, and from `Fault.transaction`; a BEGIN that a user sends as SQL is not seen then.
   */
  status?(): SessionStatus;
  /**
   * Opens a transaction; none is open. `how.isolation` is one of `dialect.isolations`. Default: the
   * dialect's words, as do the next four.
   */
  begin?(how: BeginOptions): Promise<void>;
  /**
   * Resolves when the server has said that it is done. Rejects with `applied: 'no'` in its fault when it
   * surely is not; with anything else the outcome is in doubt, and asked for.
   */
  commit?(): Promise<void>;
  /** Undoes the transaction; resolves too when none is open. */
  rollback?(): Promise<void>;
  /** Sets a savepoint. `name` is made of `\w`, unquoted, and unique in the transaction. */
  savepoint?(name: string): Promise<void>;
  /** Undoes what came after the savepoint, which stays; the transaction is in order again. */
  rollbackTo?(name: string): Promise<void>;
  /**
   * What became of a transaction of another session, see `NativeResult.transactionId`; asked again while it
   * is `running`. Default: unknown, unless the user's `commitTable` tells.
   */
  outcome?(transactionId: string): Promise<TransactionOutcome>;
  /** What the server is now; rejects when it can't serve at all. Needed for `ServerList.target`. */
  role?(): Promise<ServerRole>;
  /** What the server and the library call themselves. Default: `unknown`. */
  version?(): Promise<DriverVersion>;
  /**
   * How many sessions the server lets this user have, so that a pool never asks for more. Default: no
   * limit is known.
   */
  capacity?(): Promise<ServerCapacity>;
}

/** The servers of one database. */
export interface ServerList<Options = unknown> {
  /** In the order in which they are tried. */
  readonly servers: readonly ServerChoice<Options>[];
  /** Which of them will do. Default: `any`. */
  readonly target?: TargetServer;
  /** Try them in random order. Default: false. */
  readonly shuffle?: boolean;
}

export interface ServerChoice<Options = unknown> {
  /** The same for everybody who connects there, such as `db1:5432`; it is shown in messages. */
  readonly name: string;
  /** Options for this server alone. */
  readonly options: Options;
}

/** libpq's words for the server that is wanted, and their meanings. */
export type TargetServer =
  | 'any'
  | 'read-write'
  | 'read-only'
  | 'primary'
  | 'standby'
  | 'prefer-standby';

export const TARGET_SERVERS: readonly TargetServer[] = [
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
];

export interface ServerRole {
  /** A statement of its own may write here. */
  readonly writable: boolean;
  /** It follows another server. */
  readonly standby: boolean;
  /** Grows with every change of the primary, where the server counts them. */
  readonly generation?: number;
  /** What the server has executed, where it does not count changes of the primary but transactions. */
  readonly history?: ServerHistory;
}

/** Compared only with histories of the same driver. */
export interface ServerHistory {
  /** This server has executed everything that the other one had executed last. */
  includes(other: ServerHistory): boolean;
}

export type SessionStatus = 'idle' | 'transaction' | 'failed';

/** `running`: not decided yet, ask again. `unknown`: this server can't tell. */
export type TransactionOutcome = 'committed' | 'rolledBack' | 'running' | 'unknown';

/** The places of a server, all programs together. */
export interface ServerCapacity {
  /** The server's own limit. */
  readonly maxConnections: number;
  /** Places among them that are kept for others, such as superusers. */
  readonly reserved: number;
  /** The most that a user like this one can have: also the user's and the database's own limits. */
  readonly limit: number;
  /** Sessions at this moment, as far as this user may see them. */
  readonly used: number;
}

export interface LoadTarget {
  /** Unquoted: the table, or the schema and the table. */
  readonly table: readonly string[];
  /** Unquoted. Every row has its values in this order. */
  readonly columns: readonly string[];
}

export type LoadBatch = readonly (readonly unknown[])[];

export interface NativeStatement {
  /** SQL with the engine's own placeholders. */
  readonly text: string;
  readonly values: readonly unknown[];
  /** When given, the driver may prepare the statement under this name; the same text has the same name. */
  readonly name?: string | undefined;
  /** `array`: rows are arrays in the order of the columns. Default: objects. */
  readonly rowMode?: 'array' | undefined;
  /**
   * `library`: values go in as they are and come out as the driver's library does it by default; they were
   * not checked. The same text may come with and without it. Default: the layer's one mapping.
   */
  readonly mapping?: 'library' | undefined;
  /** Only with `mapping`: the user's `libraryOptions`. What the driver does not know it leaves alone. */
  readonly libraryOptions?: LibraryOptions | undefined;
  /** Ask in the same flight for the id of the transaction; the result carries it, if there is one. */
  readonly askTransaction?: boolean | undefined;
}

export interface NativeResult {
  readonly rows: unknown[];
  readonly columns: readonly Column[];
  /** Rows that the statement inserted, changed or deleted; 0 for a read. */
  readonly affectedRows: number;
  /** The id the server made up for an inserted row, where it says so. */
  readonly insertId?: number | bigint;
  /** The server's word for what it did, such as `COMMIT` or `INSERT`, where it says so. */
  readonly command?: string;
  /** Names the transaction on the server, so that `outcome` can tell what became of it. */
  readonly transactionId?: string;
  /** COMMIT took effect here, but the replicas that were to confirm it did not. */
  readonly unconfirmed?: true;
  /** With `mapping: 'library'`: the whole answer in the library's own shape. */
  readonly library?: unknown;
}

export interface Column {
  readonly name: string;
  /** The engine's name or number of the type, where it says so. */
  readonly type?: string;
}

export interface DriverVersion {
  /** Such as `18.4` or `10.11.19`. */
  readonly serverVersion: string;
  /** Such as `postgres`, `mysql`, `mariadb`, `sqlite`. */
  readonly flavor: string;
  readonly driver: string;
  readonly driverVersion: string;
}

/** Gives a driver its types while it is written; returns it unchanged. */
export function defineDriver<Options, Raw>(driver: Driver<Options, Raw>): Driver<Options, Raw> {
  return driver;
}
