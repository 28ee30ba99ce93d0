import type { Database } from '@dal/core';
import type { NodePgDatabase, NodePgQueryResultHKT } from 'drizzle-orm/node-postgres';
import { PgDatabase, PgDialect } from 'drizzle-orm/pg-core';
import type { DrizzleConfig } from 'drizzle-orm/utils';
import { checkEngine, dressed, relationalSchema, sessionSettings } from './configuration.ts';
import { PostgresSession } from './postgres-session.ts';

/**
 * Drizzle over a PostgreSQL database of DAL, with the type and the results of `drizzle-orm/node-postgres`.
 * `$client` is the database.
 *
 * @throws ConfigError for a database of another engine
 */
export function drizzle<Schema extends Record<string, unknown> = Record<string, never>>(
  db: Database,
  config: DrizzleConfig<Schema> = {},
): NodePgDatabase<Schema> & { $client: Database } {
  checkEngine(db, 'postgres');
  const dialect = new PgDialect(config.casing ? { casing: config.casing } : {});
  const schema = relationalSchema(config.schema);
  const session = new PostgresSession(db, db, dialect, schema, sessionSettings(config));
  const drizzled = new PgDatabase<NodePgQueryResultHKT, Schema>(dialect, session, schema);
  return dressed(drizzled, db, config.cache);
}
