import { defineDriver, type Driver, nameOfHost } from '@dal/core';
import type { Connection } from './line.ts';

import { mysqlDialect } from './mysql-dialect.ts';
import { classifyMysqlError } from './mysql-faults.ts';
import { type MysqlOptions, readMysqlOptions } from './mysql-options.ts';
import { openConnection } from './open-connection.ts';

/** Brings MySQL and MariaDB to the layer, standing on mysql2. */
export const mysqlDriver: Driver<MysqlOptions, Connection> = defineDriver({
  name: 'mysql',
  schemes: ['mysql:', 'mariadb:'],
  dialect: mysqlDialect,
  connect: openConnection,
  classify: classifyMysqlError,
  configure: readMysqlOptions,
  servers: (options) => ({
    servers: options.hosts.map((address) => ({
      name: options.socketPath ?? nameOfHost(address),
      options: { ...options, ...address },
    })),
    target: options.targetSessionAttrs,
    shuffle: options.loadBalanceHosts,
  }),
  // Which of the two it is, the server's greeting tells.
  describe: ({ host, port, database, socketPath }) => ({
    system: 'mysql',
    namespace: database,
    address: socketPath ?? host,
    port: socketPath === undefined ? port : undefined,
  }),
  module: import.meta.url,
});

export {
  /** The name under which a worker and `@dal/factory` look for a driver in a module. */
  mysqlDriver as driver,
};
