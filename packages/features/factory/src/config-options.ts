import type { Driver } from '@dal/core';
import type { DatabaseOptions } from '@dal/database';

/** Options of the layer, and who shares the pool. */
export interface CreateOptions extends DatabaseOptions {
  /**
   * Databases with the same options, secrets included, have one pool together, which is closed with
   * the last of them. Name, tags and timeouts may differ. Default: true; a database in memory is
   * never shared.
   */
  readonly shared?: boolean;
}

/** Options of the layer, and beside them whatever the driver knows (`host`, `user`, `path`, ...). */
export interface ConfigOptions extends CreateOptions {
  /** `scheme://user:password@host:port/database`. Names the driver too when `driver` is absent. */
  readonly url?: string;
  /** The name of a driver, such as `postgres`, or the driver itself. */
  readonly driver?: string | Driver;
  /** What the database is for, such as `prod` or `test`. A label for `DatabaseConfig.env()`, no more. */
  readonly env?: string;
  readonly [driverOption: string]: unknown;
}

/** Found on a `DatabaseConfig`, also on that of another copy of this package. */
export const asOptions: unique symbol = Symbol.for('dal.config-options/1');

/** The options themselves, of whoever holds them: a `DatabaseConfig`, or they are held by nobody. */
export function optionsOf(given: object): ConfigOptions {
  const held = given as { readonly [asOptions]?: ConfigOptions } | null | undefined;
  return held?.[asOptions] ?? (given as ConfigOptions);
}
