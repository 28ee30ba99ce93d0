import type { Database } from '@dal/core';
import { type DatabaseOptions, openDatabase } from '@dal/database';
import { mysqlDriver } from './mysql-driver.ts';
import type { MysqlConfig } from './mysql-options.ts';

export type { Connection, Database, Transaction } from '@dal/core';
export { installShutdown } from '@dal/database';
export { DalError, isDalError, json, sql } from '@dal/core';
export { driver, mysqlDriver } from './mysql-driver.ts';
export type { MysqlConfig, MysqlOptions } from './mysql-options.ts';

/**
 * A MySQL or MariaDB database. Nothing is opened before it is needed.
 *
 * @throws ConfigError for a wrong URL or option
 */
export function mysql(
  config: string | (MysqlConfig & DatabaseOptions),
  options: MysqlConfig & DatabaseOptions = {},
): Database {
  return openDatabase(mysqlDriver, typeof config === 'string' ? config : { ...config }, options);
}
