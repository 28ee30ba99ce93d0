import type { Fault } from '@dal/core';
import type { SessionFailure } from './session-messages.ts';

/** What SQLite's extended result names mean. A name that is missing counts as its primary name. */
const faults: Readonly<Record<string, Omit<Fault, 'code'>>> = {
  SQLITE_BUSY: { kind: 'lockTimeout', applied: 'no' },
  // Not waited for: the snapshot is too old to be written on, however long one waits.
  SQLITE_BUSY_SNAPSHOT: { kind: 'serialization', applied: 'no', transaction: 'open' },
  SQLITE_LOCKED: { kind: 'lockTimeout', applied: 'no' },
  SQLITE_PROTOCOL: { kind: 'lockTimeout', applied: 'no' },
  SQLITE_FULL: { kind: 'resource', applied: 'no' },
  SQLITE_NOMEM: { kind: 'resource', applied: 'no' },
  // A write that failed half-way at COMMIT may be found complete by the next reader of the log.
  SQLITE_IOERR: { kind: 'resource', applied: 'unknown' },
  SQLITE_IOERR_NOMEM: { kind: 'resource', applied: 'no' },
  SQLITE_INTERRUPT: { kind: 'cancelled', applied: 'no' },
  SQLITE_ABORT: { kind: 'cancelled', applied: 'no' },
  SQLITE_ABORT_ROLLBACK: { kind: 'serialization', applied: 'no', transaction: 'gone' },
  SQLITE_CONSTRAINT: { kind: 'check', applied: 'no' },
  SQLITE_CONSTRAINT_UNIQUE: { kind: 'unique', applied: 'no' },
  SQLITE_CONSTRAINT_PRIMARYKEY: { kind: 'unique', applied: 'no' },
  SQLITE_CONSTRAINT_ROWID: { kind: 'unique', applied: 'no' },
  SQLITE_CONSTRAINT_NOTNULL: { kind: 'notNull', applied: 'no' },
  SQLITE_CONSTRAINT_CHECK: { kind: 'check', applied: 'no' },
  SQLITE_CONSTRAINT_TRIGGER: { kind: 'check', applied: 'no' },
  SQLITE_CONSTRAINT_FOREIGNKEY: { kind: 'foreignKey', applied: 'no' },
  SQLITE_CONSTRAINT_DATATYPE: { kind: 'data', applied: 'no' },
  SQLITE_READONLY: { kind: 'readOnly', applied: 'no' },
  SQLITE_READONLY_DBMOVED: {
    kind: 'readOnly',
    applied: 'no',
    connectionLost: true,
    hint: 'The file was moved or deleted while it was open.',
  },
  SQLITE_CORRUPT: {
    kind: 'corrupt',
    applied: 'unknown',
    connectionLost: true,
    hint: 'The file is damaged; restore it from a backup.',
  },
  SQLITE_NOTADB: {
    kind: 'corrupt',
    applied: 'no',
    connectionLost: true,
    hint: 'The file is no SQLite database, or it is encrypted.',
  },
  SQLITE_CANTOPEN: {
    kind: 'connection',
    applied: 'no',
    connectionLost: true,
    hint: 'Check that the file exists, or createIfMissing is true, and that this user may read and write it and its folder.',
  },
  SQLITE_PERM: { kind: 'permission', applied: 'no' },
  SQLITE_AUTH: { kind: 'permission', applied: 'no' },
  SQLITE_SCHEMA: { kind: 'stalePlan', applied: 'no' },
  SQLITE_MISMATCH: { kind: 'data', applied: 'no' },
  SQLITE_TOOBIG: { kind: 'data', applied: 'no' },
  SQLITE_RANGE: { kind: 'usage', applied: 'no' },
  SQLITE_MISUSE: { kind: 'usage', applied: 'no' },
  SQLITE_ERROR: { kind: 'unknown', applied: 'no' },
  DAL_VALUE_RANGE: {
    kind: 'data',
    applied: 'unknown',
    hint: 'A whole number in the result does not fit a JavaScript number. Use integers: "safe" or "bigint".',
  },
  DAL_SQLITE_HELD: { kind: 'lockTimeout', applied: 'no' },
  DAL_SQLITE_BUSY_SESSION: { kind: 'usage', applied: 'no' },
  DAL_SQLITE_CONNECT_TIMEOUT: { kind: 'connection', applied: 'no', connectionLost: true },
  DAL_SQLITE_CONNECT: { kind: 'connection', applied: 'no', connectionLost: true },
  DAL_SQLITE_SESSION_LOST: { kind: 'connection', connectionLost: true },
};

/** SQLite has one code for all that is wrong with a statement, and better-sqlite3 none for its own refusals; their words decide. */
const byWords: readonly (readonly [RegExp, Omit<Fault, 'code'>])[] = [
  [
    /more than one statement/,
    {
      kind: 'usage',
      applied: 'no',
      hint: 'Send one statement at a time; executeMany and transaction are there for more.',
    },
  ],
  [/contains no statements/, { kind: 'usage', applied: 'no' }],
  [/parameter value|named parameter|bind/i, { kind: 'usage', applied: 'no' }],
  [
    /connection is (?:busy|not open)|statement is (?:busy|executing)/,
    { kind: 'usage', applied: 'no' },
  ],
  [/syntax error|incomplete input|unrecognized token/, { kind: 'syntax', applied: 'no' }],
  [
    /no such (?:table|column|index|view|trigger|function|module|collation|database)|already exists|has no column named|no tables specified|duplicate column name|wrong number of arguments|has \d+ columns but \d+ values|ambiguous column name/,
    { kind: 'schema', applied: 'no' },
  ],
  [/integer overflow|malformed JSON|JSON path|out of range/, { kind: 'data', applied: 'no' }],
  [
    /within a transaction|no transaction is active|no such savepoint|values for \d+ columns|cannot (?:start|commit|rollback|VACUUM)|misuse of/,
    { kind: 'usage', applied: 'no' },
  ],
];

/** An error of a session, brought home. `code` is SQLite's extended name where there is one. */
export class SqliteError extends Error {
  override readonly name: string = 'SqliteError';
  readonly code: string | undefined;
  /** What the session knows beyond the code. */
  readonly known: Partial<Fault>;

  constructor(failure: Omit<SessionFailure, 'name'>, known: Partial<Fault> = {}) {
    super(failure.message);
    this.code = failure.code;
    this.known = known;
  }
}

/** Judges any error; never throws. */
export function classifySqliteError(error: unknown): Fault {
  try {
    return judge(error);
  } catch {
    return { kind: 'unknown', applied: 'unknown' };
  }
}

function judge(error: unknown): Fault {
  if (typeof error !== 'object' || error === null) return { kind: 'unknown', applied: 'unknown' };
  const { code, message } = error as { code?: unknown; message?: unknown };
  const words = typeof message === 'string' ? message : '';
  const known = error instanceof SqliteError ? error.known : {};
  if (typeof code !== 'string') {
    const fault = wordsFault(words) ?? { kind: 'unknown', applied: 'unknown' };
    return { ...fault, ...known };
  }
  const found = codeFault(code);
  if (found === undefined) return { kind: 'unknown', applied: 'unknown', code, ...known };
  const fault = code === 'SQLITE_ERROR' ? (wordsFault(words) ?? found) : found;
  return { ...fault, code, ...names(code, words), ...known };
}

function codeFault(code: string): Omit<Fault, 'code'> | undefined {
  if (Object.hasOwn(faults, code)) return faults[code];
  const primary = /^SQLITE_[A-Z]+/.exec(code)?.[0] ?? '';
  return Object.hasOwn(faults, primary) ? faults[primary] : undefined;
}

function wordsFault(words: string): Omit<Fault, 'code'> | undefined {
  return byWords.find(([pattern]) => pattern.test(words))?.[1];
}

/** `UNIQUE constraint failed: users.email`, `CHECK constraint failed: positive`. */
function names(code: string, words: string): Pick<Fault, 'table' | 'column' | 'constraint'> {
  if (!code.startsWith('SQLITE_CONSTRAINT')) return {};
  const failed = /constraint failed: (.+)$/s.exec(words)?.[1];
  if (failed === undefined) return {};
  if (code === 'SQLITE_CONSTRAINT_CHECK') return { constraint: failed.slice(0, 200) };
  const index = /^index '(.+)'$/.exec(failed)?.[1];
  if (index !== undefined) return { constraint: index };
  const column = /^([^.,]+)\.([^.,]+)/.exec(failed);
  return column?.[1] && column[2] ? { table: column[1], column: column[2] } : {};
}
