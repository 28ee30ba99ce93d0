/** The one file that touches better-sqlite3's module: opening a file, and its types. */
import Module from 'node:module';
import type Sqlite from 'better-sqlite3';
import { bundledError } from './bundled-error.ts';
import { connectionPragmas } from './pragmas.ts';
import type { LibraryVersion, SessionSettings } from './session-messages.ts';

export type SqliteDatabase = Sqlite.Database;
export type SqliteStatement = Sqlite.Statement;

/** Opens the file and sets it up. @throws better-sqlite3's errors, also when there is no library for this platform */
export function openNativeDatabase(settings: SessionSettings): SqliteDatabase {
  const { path, readOnly, createIfMissing, busyTimeoutMs } = settings;
  const memory = path === ':memory:';
  // Not at the top: who has no session in this thread never loads the native library into it.
  const Library = libraryRequire()('better-sqlite3') as typeof Sqlite;
  const database = new Library(path, {
    // A database in memory starts empty, so it can be locked only after it was opened.
    readonly: readOnly && !memory,
    fileMustExist: !memory && (readOnly || !createIfMissing),
    timeout: busyTimeoutMs,
  });
  try {
    // Numbers would lose digits beyond 2^53, and nothing would tell.
    database.defaultSafeIntegers(true);
    connectionPragmas(database, settings);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

export function libraryVersion(database: SqliteDatabase): LibraryVersion {
  const sqlite = database.prepare<[], string>('SELECT sqlite_version()').pluck().get();
  const manifest = libraryRequire()('better-sqlite3/package.json') as { version: string };
  return { sqlite: sqlite ?? '', library: manifest.version };
}

function libraryRequire(): NodeJS.Require {
  // A bundle in CommonJS has no URL.
  if (import.meta.url === undefined) throw bundledError();
  // Not by its bare name, which webpack would follow and replace.
  return Module.createRequire(import.meta.url);
}
