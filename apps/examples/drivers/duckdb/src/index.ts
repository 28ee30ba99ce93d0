import type { Database } from '@dal/core';
import { type DatabaseOptions, openDatabase } from '@dal/database';
import { duckdbDriver } from './duckdb-driver.ts';
import type { DuckdbOptions } from './duckdb-options.ts';

export { DalError, isDalError, json, sql } from '@dal/core';
export type { Connection, Database, Transaction } from '@dal/core';
export {
  duckdbDriver,
  /** The name under which `@dal/factory` looks for a driver in a package. */
  duckdbDriver as driver,
} from './duckdb-driver.ts';
export type { DuckdbOptions, DuckdbSettings } from './duckdb-options.ts';

export type DuckdbConfig = DuckdbOptions & DatabaseOptions;

/**
 * A Duckdb database.
 *
 * @throws ConfigError for an option or URL that does not fit
 */
export function duckdb(config: string | DuckdbConfig, more: DuckdbConfig = {}): Database {
  const given = typeof config === 'string' ? { url: config } : config;
  return openDatabase(duckdbDriver, { ...given, ...more });
}
