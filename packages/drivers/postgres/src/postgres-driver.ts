import { defineDriver, type Driver } from '@dal/core';
import type { PgClient } from './pg-client.ts';
import { connectPostgres } from './postgres-connection.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { classifyPostgres } from './postgres-faults.ts';
import { type PostgresOptions, readPostgresOptions } from './postgres-options.ts';

export const postgresDriver: Driver<PostgresOptions, PgClient> = defineDriver({
  name: 'postgres',
  schemes: ['postgres:', 'postgresql:'],
  dialect: postgresDialect,
  connect: connectPostgres,
  classify: classifyPostgres,
  configure: readPostgresOptions,
  module: import.meta.url,
});

/** A worker imports this module for the driver. */
export { postgresDriver as driver };
