import type { Database } from '@dal/core';
import { type DatabaseOptions, openDatabase } from '@dal/database';
import { pgliteDriver } from './pglite-driver.ts';
import type { PgliteOptions } from './pglite-options.ts';

export { DalError, isDalError, json, sql } from '@dal/core';
export type { Connection, Database, Transaction } from '@dal/core';
export {
  pgliteDriver,
  /** The name under which `@dal/factory` looks for a driver in a package. */
  pgliteDriver as driver,
} from './pglite-driver.ts';
export type { PgliteOptions, PgliteSettings } from './pglite-options.ts';

export type PgliteConfig = PgliteOptions & DatabaseOptions;

/**
 * A Pglite database.
 *
 * @throws ConfigError for an option or URL that does not fit
 */
export function pglite(config: string | PgliteConfig, more: PgliteConfig = {}): Database {
  const given = typeof config === 'string' ? { url: config } : config;
  return openDatabase(pgliteDriver, { ...given, ...more });
}
