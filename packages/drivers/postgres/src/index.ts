import type { Database } from '@dal/core';
import { type DatabaseOptions, openDatabase } from '@dal/database';
import { postgresDriver } from './postgres-driver.ts';
import type { PostgresConfig } from './postgres-options.ts';

/**
 * A PostgreSQL database, from a URL or from options. Connections are opened when they are needed.
 *
 * @throws ConfigError that names the option
 */
export function postgres(
  config: string | (PostgresConfig & DatabaseOptions) = {},
  options: PostgresConfig & DatabaseOptions = {},
): Database {
  return openDatabase(postgresDriver, config as string | Record<string, unknown>, options);
}

export { postgresDriver };
/** The name under which `@dal/factory` looks for a driver in a package. */
export { driver } from './postgres-driver.ts';
export type { PostgresConfig, PostgresOptions } from './postgres-options.ts';
export { DalError, isDalError, json, sql } from '@dal/core';
export type { Connection, Database, Transaction } from '@dal/core';
export { installShutdown } from '@dal/database';
export { copyFrom, type CopyResult, copyTo } from './copy.ts';
export type { CopySource } from './copy-chunks.ts';
