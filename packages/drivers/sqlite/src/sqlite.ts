import type { Database } from '@dal/core';
import { type DatabaseOptions, openDatabase } from '@dal/database';
import { sqliteDriver } from './sqlite-driver.ts';
import type { SqliteOptions } from './sqlite-options.ts';

export type SqliteConfig = SqliteOptions & DatabaseOptions;

/**
 * A SQLite database: a file, or one in memory.
 *
 * @throws ConfigError for an option or URL that does not fit
 */
export function sqlite(config: string | SqliteConfig, options: SqliteConfig = {}): Database {
  const given = typeof config === 'string' ? { url: config } : config;
  return openDatabase(sqliteDriver, { ...given, ...options });
}
