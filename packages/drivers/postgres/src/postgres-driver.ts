import { defineDriver, type Driver, nameOfHost } from '@dal/core';
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
  servers: (options) => ({
    servers: options.hosts.map((address) => ({
      name: nameOfHost(address),
      options: { ...options, ...address },
    })),
    target: options.targetSessionAttrs,
    shuffle: options.loadBalanceHosts,
  }),
  describe: ({ host, port, database }) => ({
    system: 'postgresql',
    namespace: database,
    address: host,
    port,
  }),
  module: import.meta.url,
});

/** A worker imports this module for the driver. */
export { postgresDriver as driver };
