import type { Database } from '@dal/core';
import { CallbackPool } from './callback-pool.ts';
import type { LibrarySettings, Pool } from './mysql2-library.ts';

export interface Mysql2PoolOptions extends LibrarySettings {
  /** `pool.end()` leaves the database open, for others who use it. Default: it closes it. */
  readonly keepOpen?: boolean;
}

/**
 * A database on MySQL or MariaDB in the shape of the pool of `mysql2/promise`, for code that was written
 * for mysql2: values, results and the server's errors are those of mysql2. Its `pool` is the one with
 * callbacks.
 *
 * @throws ConfigError for a database of another engine
 * @example
 * const pool = mysql2Pool(db);
 * const [rows] = await pool.query('SELECT ? AS one', [1]);
 */
export function mysql2Pool(db: Database, options: Mysql2PoolOptions = {}): Pool {
  return new CallbackPool(db, options).promise();
}
