import type { NativeStatement } from '@dal/core';
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
  readonly preparedStatements: number;
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
  | readonly [op: 'start', settings: SessionSettings]
  | readonly [op: 'run', statement: WireStatement, values: Cell[], as?: AsLibrary]
  | readonly [op: 'many', statement: WireStatement, rows: Cell[][], as?: AsLibrary]
  | readonly [op: 'open', text: string, values: Cell[], batchSize: number, as?: AsLibrary]
  | readonly [op: 'next']
  | readonly [op: 'end']
  | readonly [op: 'reset']
  | readonly [op: 'version']
  | readonly [op: 'close'];

/** Values go in and come out as better-sqlite3 does it by default, or with its `safeIntegers(true)`. */
export type AsLibrary = 'library' | 'libraryBigints';

/** @returns undefined for the layer's own mapping */
export function asLibrary({
  mapping,
  libraryOptions,
}: Pick<NativeStatement, 'mapping' | 'libraryOptions'>): AsLibrary | undefined {
  if (mapping !== 'library') return undefined;
  return libraryOptions?.['safeIntegers'] === true ? 'libraryBigints' : 'library';
}

/** The number of a statement that was kept, or a text and the number to keep it by; 0: it isn't kept. */
export type WireStatement = number | readonly [keepAs: number, text: string];

/**
 * What travels to the process. `limitMs`: the process ends itself when this takes longer; 0: never.
 * `forget`: statements that gave way to others.
 */
export type Order = readonly [request: Request, limitMs: number, forget: readonly number[]];

/** A number that was announced before, or the number with names and declared types in turn. */
export type WireColumns = number | readonly [slot: number, ...namesAndTypes: string[]];

/** `packed`: cells among them have to be unpacked. */
export type BatchAnswer = readonly [
  columns: WireColumns,
  rows: unknown[][],
  packed: boolean,
  done: boolean,
];
export type RunAnswer = readonly [
  batch: BatchAnswer,
  affectedRows: number,
  insertId: string | null,
  /** The library's `lastInsertRowid`, of a statement without rows; only when it was asked for. */
  lastId?: number,
];

export interface LibraryVersion {
  readonly sqlite: string;
  readonly library: string;
}

/** An error of the session as data. */
export interface SessionFailure {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
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
