import type { Database } from '@dal/core';
import type { ExtractTablesWithRelations } from 'drizzle-orm/relations';
import { BaseSQLiteDatabase, SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core';
import type { DrizzleConfig } from 'drizzle-orm/utils';
import { checkEngine, dressed, relationalSchema, sessionSettings } from './configuration.ts';
import { type RunResult, SqliteSession } from './sqlite-session.ts';

export type { RunResult } from './sqlite-session.ts';

/** Drizzle's SQLite database whose calls are awaited. */
export type SqliteDrizzle<Schema extends Record<string, unknown> = Record<string, never>> =
  BaseSQLiteDatabase<'async', RunResult, Schema>;

/**
 * Drizzle over an SQLite database of DAL, with the results of `drizzle-orm/better-sqlite3`, but awaited.
 * `$client` is the database.
 *
 * @throws ConfigError for a database of another engine
 */
export function drizzle<Schema extends Record<string, unknown> = Record<string, never>>(
  db: Database,
  config: DrizzleConfig<Schema> = {},
): SqliteDrizzle<Schema> & { $client: Database } {
  checkEngine(db, 'sqlite');
  const dialect = new SQLiteAsyncDialect(config.casing ? { casing: config.casing } : {});
  const schema = relationalSchema(config.schema);
  const session = new SqliteSession<Schema, ExtractTablesWithRelations<Schema>>(
    db,
    db,
    dialect,
    schema,
    sessionSettings(config),
  );
  const drizzled = new BaseSQLiteDatabase('async', dialect, session, schema);
  return dressed(drizzled as SqliteDrizzle<Schema>, db, config.cache);
}
