import { SqliteError } from './sqlite-faults.ts';
import type { Reply, Request } from './session-messages.ts';
import type { SqliteDatabase } from './session.ts';
import type { RunsIn } from './sqlite-options.ts';

/** The way to a session, wherever it runs. One request at a time. */
export interface SessionLine {
  readonly raw: SqliteRaw;
  /** SQLite's own word, as of the last answer. */
  readonly inTransaction: boolean;
  /** Rejects with `SqliteError`. */
  call(request: Request): Promise<unknown>;
  close(): Promise<void>;
  destroy(): void;
}

/** What stands behind a connection. */
export interface SqliteRaw {
  readonly runsIn: RunsIn;
  /** The process that SQLite runs in. */
  readonly pid: number;
  /** better-sqlite3's object, when it lives in this process. */
  readonly database: SqliteDatabase | undefined;
}

/** The result of a reply. @throws SqliteError with what the change of state tells about a transaction */
export function resultOf(reply: Reply, wasInTransaction: boolean): unknown {
  const [ok, inTransaction, content] = reply;
  if (ok) return content;
  throw new SqliteError(
    content,
    wasInTransaction ? { transaction: inTransaction ? 'open' : 'gone' } : {},
  );
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
