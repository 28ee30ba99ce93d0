import type { Fault } from '@dal/core';
import type { SqliteDatabase } from './native-database.ts';
import type { Reply } from './session-messages.ts';
import { SqliteError } from './sqlite-faults.ts';
import type { RunsIn } from './sqlite-options.ts';

/** What stands behind a connection. */
export interface SqliteRaw {
  readonly runsIn: RunsIn;
  /** The process that SQLite runs in. */
  readonly pid: number;
  /** better-sqlite3's object, when it lives in this process. */
  readonly database: SqliteDatabase | undefined;
}

/** The result of a reply. @throws SqliteError with what the change of state tells about a transaction */
export function valueOf(reply: Reply, wasInTransaction: boolean): unknown {
  const [ok, inTransaction, content] = reply;
  if (ok) return content;
  throw new SqliteError(content, transactionFault(wasInTransaction, inTransaction));
}

/** What became of a transaction in which a statement failed. */
export function transactionFault(before: boolean, after: boolean): Pick<Fault, 'transaction'> {
  return before ? { transaction: after ? 'open' : 'gone' } : {};
}

/** Two requests at once: the layer never does that, so it is somebody who holds `raw` or a stream. */
export function sessionIsBusy(): SqliteError {
  return new SqliteError({
    message: 'The session is still busy with another statement or an open stream.',
    code: 'DAL_SQLITE_BUSY_SESSION',
  });
}

export function sessionIsOver(): SqliteError {
  return new SqliteError(
    { message: 'The session was closed already.', code: 'DAL_SQLITE_SESSION_LOST' },
    { applied: 'no' },
  );
}

/** A database in memory has one session, and somebody else has a transaction open in it. */
export function sessionIsHeld(): SqliteError {
  return new SqliteError({
    message:
      'A transaction is open in this database in memory, and it has one session only. Wait until the transaction has ended, or use a file.',
    code: 'DAL_SQLITE_HELD',
  });
}

/** A table that is missing because the database in memory began anew needs more than its own words. */
export function rememberLoss(error: unknown, opened: number): unknown {
  if (opened < 2 || !(error instanceof SqliteError)) return error;
  if (!error.message.startsWith('no such table')) return error;
  const hint =
    'This database in memory lost its data when its session was stopped or ended; it began anew, empty. Use a file to keep data.';
  return new SqliteError(error, { ...error.known, hint });
}
