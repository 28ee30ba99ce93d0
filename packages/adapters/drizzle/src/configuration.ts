import { ConfigError, type Database } from '@dal/core';
import { type Cache, NoopCache } from 'drizzle-orm/cache/core';
import { DefaultLogger, type Logger, NoopLogger } from 'drizzle-orm/logger';
import {
  createTableRelationsHelpers,
  extractTablesRelationalConfig,
  type ExtractTablesWithRelations,
  type RelationalSchemaConfig,
  type TablesRelationalConfig,
} from 'drizzle-orm/relations';
import type { DrizzleConfig } from 'drizzle-orm/utils';

/** What every session of one Drizzle database shares. */
export interface SessionSettings {
  readonly logger: Logger;
  readonly cache: Cache;
}

export function sessionSettings(config: DrizzleConfig<Record<string, unknown>>): SessionSettings {
  const { logger, cache } = config;
  return {
    logger: typeof logger === 'object' ? logger : logger ? new DefaultLogger() : new NoopLogger(),
    cache: cache ?? new NoopCache(),
  };
}

/** The tables and relations of `db.query`; undefined without a schema. */
export type Relations<Schema extends TablesRelationalConfig> =
  | RelationalSchemaConfig<Schema>
  | undefined;

export function relationalSchema<Schema extends Record<string, unknown>>(
  schema: Schema | undefined,
): Relations<ExtractTablesWithRelations<Schema>> {
  if (!schema) return undefined;
  const { tables, tableNamesMap } = extractTablesRelationalConfig(
    schema,
    createTableRelationsHelpers,
  );
  return {
    fullSchema: schema,
    schema: tables as unknown as ExtractTablesWithRelations<Schema>,
    tableNamesMap,
  };
}

/** @throws ConfigError for a database of another engine */
export function checkEngine(db: Database, engine: string): void {
  const { name } = db.dialect;
  if (name === engine) return;
  throw new ConfigError(
    `@dal/drizzle/${engine} was given "${db.name}", a database of the engine "${name}". Import drizzle from @dal/drizzle/${name}.`,
    { kind: 'usage', code: 'DAL_ADAPTER_DIALECT' },
  );
}

/** What Drizzle leaves on its databases: the client behind, and the cache with its way to clear it. */
export function dressed<Drizzled extends object>(
  drizzled: Drizzled,
  db: Database,
  cache: Cache | undefined,
): Drizzled & { $client: Database } {
  if (!cache) return Object.assign(drizzled, { $client: db });
  const $cache = Object.assign(cache, { invalidate: cache.onMutate.bind(cache) });
  return Object.assign(drizzled, { $client: db, $cache });
}
