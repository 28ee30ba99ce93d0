/** What a session is told when it opens. Plain data, because it may travel to another process. */
export interface SessionSettings {
  /** A file's path, or `:memory:`. */
  readonly path: string;
  readonly readOnly: boolean;
  readonly createIfMissing: boolean;
  readonly busyTimeoutMs: number;
  readonly journalMode: JournalMode;
  readonly synchronous: Synchronous;
  readonly foreignKeys: boolean;
  readonly pragmas: Readonly<Record<string, string | number>>;
  readonly statementCacheSize: number;
  readonly integers: 'safe' | 'bigint' | 'number' | 'text';
  readonly decimals: 'text' | 'number';
}

export type JournalMode = 'wal' | 'delete' | 'truncate' | 'persist' | 'memory' | 'off';
export type Synchronous = 'off' | 'normal' | 'full' | 'extra';

/** The word that a transaction for reading begins with. */
export const READ_ONLY_TRANSACTION = 'PRAGMA query_only = ON';

/** What can cross to the session: the values SQLite knows, and numbers. */
export type Cell = null | number | bigint | string | Uint8Array;

/** A request, as a tuple: tuples are the cheapest thing to send to another process. */
export type Request =
  | readonly [op: 'run', text: string, values: Cell[]]
  | readonly [op: 'open', text: string, values: Cell[], batchSize: number]
  | readonly [op: 'next']
  | readonly [op: 'end']
  | readonly [op: 'reset']
  | readonly [op: 'version'];

export interface RunResult {
  /** Names and declared types in turn: `['id', 'INTEGER', 'name', 'TEXT']`. Empty: no rows to expect. */
  readonly columns: readonly string[];
  /** Arrays in the order of the columns. */
  readonly rows: unknown[][];
  readonly affectedRows: number;
  readonly insertId: number | bigint | undefined;
  readonly verb: string;
}

export interface Batch {
  readonly columns: readonly string[];
  readonly rows: unknown[][];
  readonly done: boolean;
}

export interface LibraryVersion {
  readonly sqlite: string;
  readonly library: string;
}

/** An error of the session as data. */
export interface SessionFailure {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
}

/** `inTransaction` is SQLite's own word, taken after the request. */
export type Reply =
  | readonly [ok: true, inTransaction: boolean, result: unknown]
  | readonly [ok: false, inTransaction: boolean, failure: SessionFailure];

/** Reads whatever was thrown; never throws itself. */
export function failureOf(error: unknown): SessionFailure {
  const { name, message, code } = (error ?? {}) as Partial<SessionFailure>;
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : String(error),
    code: typeof code === 'string' ? code : undefined,
  };
}
