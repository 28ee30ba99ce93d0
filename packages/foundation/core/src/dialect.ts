import type { Queryable } from './database.ts';
import type { Catalog } from './schema.ts';

/**
 * What the layer must know of an engine's SQL, as data: it never changes, and its functions answer from
 * their arguments alone and never throw.
 *
 * @overridable
 */
export interface Dialect {
  /** The engine's name, such as `postgres`. MySQL and MariaDB share `mysql`. */
  readonly name: string;
  /** The native mark for the parameter at `index`, counted from 1: `$1`, `?`. */
  readonly placeholder: (index: number) => string;
  /** Opening and closing mark of a quoted identifier; inside of it the closing one is doubled. */
  readonly quote: readonly [open: string, close: string];
  /** What is a text, a comment or a quoted name. */
  readonly lexis: Lexis;
  /** The cheapest statement that proves a session alive; takes no values and changes nothing. */
  readonly ping: string;
  /** Words for transactions, or null where they must be calls (`DriverConnection.begin`). */
  readonly transaction: TransactionWords | null;
  /** Those that `begin` takes; any other is refused before anything is sent. The engine's words or ours. */
  readonly isolations: readonly Isolation[];
  readonly limits: DialectLimits;
  /** Arrays are values of their own (PostgreSQL). Default: false, and an array as a value is refused. */
  readonly arrays?: boolean;
  /** DDL commits the open transaction without a word (MySQL, MariaDB). Default: false. */
  readonly ddlCommits?: boolean;
  /** Column types for portable tables; used by the conformance kit and by features that make tables. */
  readonly types: ColumnTypes;
  /** How the engine is asked for its tables. Default: `db.schema` refuses. */
  readonly catalog?: Catalog;
  /** Types for text that equals only itself, capitals and accents included. Default: as in `types`. */
  readonly exactTypes?: Pick<ColumnTypes, 'text' | 'key'>;
  /** What an INSERT does with rows that are there. Default: it fails. */
  readonly upsert?: UpsertWords;
  /** Behind a SELECT: other writers wait for its rows until the transaction ends. Default: nothing. */
  readonly rowLock?: string;
  /** INSERT, UPDATE and DELETE may end in `RETURNING *`. Default: false. */
  readonly returning?: boolean;
  /** WITH may hold INSERT, UPDATE and DELETE, all of one snapshot (PostgreSQL). Default: false. */
  readonly changesInWith?: boolean;
  /** Behind an expression of ORDER BY. Default: nothing, since NULL counts as the smallest. */
  readonly nullOrder?: { readonly first: string; readonly last: string };
  /** So much of a text can be in an index, in characters (MySQL). Default: all of it. */
  readonly indexedText?: number;
  /** Default: 63 bytes, of any characters. */
  readonly identifiers?: IdentifierRules;
  /** A lock that belongs to a session. Default: whoever needs one holds a row locked instead. */
  readonly sessionLock?: SessionLock;
  /** Statements that bound how long this session waits for locks of tables and rows. Default: none. */
  readonly lockTimeout?: (timeoutMs: number) => readonly string[];
}

/** A lock by name between the sessions of one database; it ends with its session, whatever ends that. */
export interface SessionLock {
  /** Tries once and does not wait; undefined when another session has it. `name` is made of `\w`. */
  take(session: Queryable, name: string): Promise<HeldLock | undefined>;
}

export interface HeldLock {
  /** Asks the server; also inside a transaction of the same session. Rejects as a statement does. */
  isHeld(session: Queryable): Promise<boolean>;
  /** Gives it back; harmless when it is not held any more. */
  release(session: Queryable): Promise<void>;
}

/** Names are quoted by the caller. */
export interface UpsertWords {
  /** Between the rows and the changes: ` ON CONFLICT (id) DO UPDATE SET `. */
  readonly change: (keys: readonly string[]) => string;
  /** The value that the row would have had: `excluded.name`. */
  readonly incoming: (column: string) => string;
  /** Behind the rows: those that are there are passed over. Default: the engine can't. */
  readonly skip?: (keys: readonly string[]) => string;
}

/** What the engine takes as a quoted name. */
export interface IdentifierRules {
  readonly max: number;
  readonly unit: 'bytes' | 'characters';
  /** Nothing beyond U+FFFF, such as emoji. Default: false. */
  readonly bmpOnly?: boolean;
}

/** Where text is not SQL, so that a `?` in it is left alone. Default of each: false. */
export interface Lexis {
  /** `$$ ... $$` and `$tag$ ... $tag$` (PostgreSQL, DuckDB). */
  readonly dollar?: boolean;
  /** Block comments nest (PostgreSQL). */
  readonly nestedComments?: boolean;
  /** `# comment` to the end of the line (MySQL). */
  readonly hashComments?: boolean;
  /** `--` starts a comment only before white space or the end (MySQL). */
  readonly dashNeedsSpace?: boolean;
  /** Backslash escapes in every string (MySQL). */
  readonly backslashStrings?: boolean;
  /** Backslash escapes in `E'...'` (PostgreSQL). */
  readonly escapeStrings?: boolean;
  /** `` `identifier` `` (MySQL, SQLite). */
  readonly backticks?: boolean;
  /** `[identifier]` (SQLite, SQL Server). */
  readonly brackets?: boolean;
  /** A double-quoted text is a string in which backslash escapes (MySQL without ANSI_QUOTES). */
  readonly doubleQuotedStrings?: boolean;
}

export type Isolation =
  | 'readUncommitted'
  | 'readCommitted'
  | 'repeatableRead'
  | 'serializable'
  | (string & {});

export interface BeginOptions {
  /** What others change meanwhile is seen, or not. Default: the server's setting. */
  readonly isolation?: Isolation;
  /** Refuses writes. Default: the server's setting, which nearly always is to take them. */
  readonly readOnly?: boolean;
  /** PostgreSQL: wait for a snapshot that cannot fail (with `serializable` and `readOnly`). */
  readonly deferrable?: boolean;
}

export interface TransactionWords {
  /** Statements that open a transaction, sent one after another; `isolation` is one of `isolations`. */
  readonly begin: (how: BeginOptions) => readonly string[];
  readonly commit: string;
  readonly rollback: string;
  /** Null where the engine has none: what needs one is refused. So are the next two. */
  readonly savepoint: ((name: string) => string) | null;
  /** Undoes what came after the savepoint, and keeps it. */
  readonly rollbackTo: ((name: string) => string) | null;
  /** Forgets the savepoint. Null alone: the engine needs no word for it. */
  readonly release: ((name: string) => string) | null;
}

export interface DialectLimits {
  /** The most parameters in one statement; loads of many rows stay below it. */
  readonly parameters: number;
  /** Digits that `types.decimal` keeps, where they are fewer. Default: 30 before the point, 10 behind it. */
  readonly decimals?: { readonly before: number; readonly behind: number };
}

/** The engine's type for each kind of value that has one mapping everywhere. */
export interface ColumnTypes {
  readonly boolean: string;
  readonly integer: string;
  readonly bigint: string;
  readonly double: string;
  /** Keeps 30 digits before and 10 behind the point, or more. */
  readonly decimal: string;
  readonly text: string;
  /** Text short enough to be a key. */
  readonly key: string;
  readonly bytes: string;
  readonly json: string;
  readonly date: string;
  /** Microseconds, UTC. */
  readonly timestamp: string;
  /**
   * A primary key that the engine counts up, constraint words included. Where only sequences count, a
   * primary key that the caller fills.
   */
  readonly autoId: string;
}

/** The words of the SQL standard, which most engines understand; `begin` is what differs. */
export function standardTransaction(begin: TransactionWords['begin']): TransactionWords {
  return {
    begin,
    commit: 'COMMIT',
    rollback: 'ROLLBACK',
    savepoint: (name) => `SAVEPOINT ${name}`,
    rollbackTo: (name) => `ROLLBACK TO SAVEPOINT ${name}`,
    release: (name) => `RELEASE SAVEPOINT ${name}`,
  };
}
