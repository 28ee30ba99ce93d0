import type { Database } from '@dal/core';
import { type DatabaseOptions, openDatabase } from '@dal/database';
import { theVendorDriver } from './the-vendor-driver.ts';
import type { TheVendorOptions } from './the-vendor-options.ts';

export { DalError, isDalError, json, sql } from '@dal/core';
export type { Connection, Database, Transaction } from '@dal/core';
export {
  theVendorDriver,
  /** The name under which `@dal/factory` looks for a driver in a package. */
  theVendorDriver as driver,
} from './the-vendor-driver.ts';
export type { TheVendorOptions, TheVendorSettings } from './the-vendor-options.ts';

export type TheVendorConfig = TheVendorOptions & DatabaseOptions;

/**
 * A TheVendor database.
 *
 * @throws ConfigError for an option or URL that does not fit
 */
export function theVendor(config: string | TheVendorConfig, more: TheVendorConfig = {}): Database {
  const given = typeof config === 'string' ? { url: config } : config;
  return openDatabase(theVendorDriver, { ...given, ...more });
}
