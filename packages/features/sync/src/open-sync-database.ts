import type { Driver, SyncDatabase } from '@dal/core';
import {
  type DatabaseOptions,
  readSyncSource,
  type SyncSource,
  type SyncTwin,
} from '@dal/database';
import { bundled } from './bundled.ts';
import { openDirectDatabase } from './direct-database.ts';
import { isAsyncEnvironment } from './is-async-environment.ts';
import { openRemoteDatabase } from './remote-database.ts';

/**
 * A database for blocking calls alone, from a driver and what `openDatabase` takes. Connections are
 * opened when they are needed.
 *
 * @example
 * import { driver } from '@dal/postgres';
 * using db = openSyncDatabase(driver, 'postgres://app@localhost/shop');
 * const now = db.queryValue('SELECT now()');
 * @throws ConfigError that names the option
 */
export function openSyncDatabase<Options, Raw>(
  driver: Driver<Options, Raw>,
  config: string | Readonly<Record<string, unknown>> = {},
  options: DatabaseOptions = {},
): SyncDatabase {
  return openTwin(readSyncSource(driver, config, options)).database;
}

export function openTwin(source: SyncSource): SyncTwin {
  // A worker that runs the program itself would start a worker, and so on.
  if (!isAsyncEnvironment()) throw bundled();
  return openDirectDatabase(source) ?? openRemoteDatabase(source);
}
