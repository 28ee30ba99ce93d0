import type { Database } from '@dal/core';
import { MySqlDatabase, MySqlDialect } from 'drizzle-orm/mysql-core';
import type { Mode } from 'drizzle-orm/mysql-core/session';
import type {
  MySql2Database,
  MySql2PreparedQueryHKT,
  MySql2QueryResultHKT,
} from 'drizzle-orm/mysql2';
import type { DrizzleConfig } from 'drizzle-orm/utils';
import { checkEngine, dressed, relationalSchema, sessionSettings } from './configuration.ts';
import { MysqlSession } from './mysql-session.ts';

export interface MysqlConfig<Schema extends Record<string, unknown>> extends DrizzleConfig<Schema> {
  /** `planetscale`: relational queries without LATERAL, which MariaDB does not know. Default: `default`. */
  readonly mode?: Mode;
}

/**
 * Drizzle over a MySQL or MariaDB database of DAL, with the type and the results of
 * `drizzle-orm/mysql2`. `$client` is the database.
 *
 * @throws ConfigError for a database of another engine
 */
export function drizzle<Schema extends Record<string, unknown> = Record<string, never>>(
  db: Database,
  config: MysqlConfig<Schema> = {},
): MySql2Database<Schema> & { $client: Database } {
  checkEngine(db, 'mysql');
  const { mode = 'default' } = config;
  const dialect = new MySqlDialect(config.casing ? { casing: config.casing } : {});
  const schema = relationalSchema(config.schema);
  const session = new MysqlSession(db, db, dialect, schema, { ...sessionSettings(config), mode });
  const drizzled = new MySqlDatabase<MySql2QueryResultHKT, MySql2PreparedQueryHKT, Schema>(
    dialect,
    session,
    schema,
    mode,
  );
  return dressed(drizzled, db, config.cache);
}
