import type { SessionSettings } from './session-messages.ts';

/** The one method of the library's database that is needed here. */
interface Pragmas {
  pragma(source: string, options?: { simple?: boolean }): unknown;
}

const PAUSE_MS = 10;

/** Sets up a connection that was just opened; everything here is lost when it closes, WAL apart. */
export function connectionPragmas(database: Pragmas, settings: SessionSettings): void {
  const memory = settings.path === ':memory:';
  database.pragma(`busy_timeout = ${settings.busyTimeoutMs}`);
  if (!memory && !settings.readOnly) setJournalMode(database, settings);
  database.pragma(`synchronous = ${settings.synchronous}`);
  database.pragma(`foreign_keys = ${settings.foreignKeys ? 'ON' : 'OFF'}`);
  for (const [name, value] of Object.entries(settings.pragmas)) {
    database.pragma(`${name} = ${value}`);
  }
  if (settings.readOnly) database.pragma('query_only = ON');
  // Opening reads nothing; this does, so that a file which is no database is known now.
  database.pragma('schema_version');
}

/** SQLite does not wait for a lock while it changes to WAL, so several sessions that start at once may collide. */
function setJournalMode(database: Pragmas, { journalMode, busyTimeoutMs }: SessionSettings): void {
  const until = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      if (database.pragma('journal_mode', { simple: true }) === journalMode) return;
      database.pragma(`journal_mode = ${journalMode}`);
      return;
    } catch (error) {
      const busy = (error as { code?: unknown }).code === 'SQLITE_BUSY';
      if (!busy || performance.now() >= until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
