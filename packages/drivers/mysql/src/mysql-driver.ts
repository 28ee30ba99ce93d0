import { defineDriver, type Driver } from '@dal/core';
import type { Connection } from './line.ts';
import { openConnection } from './mysql-connection.ts';
import { mysqlDialect } from './mysql-dialect.ts';
import { classifyMysqlError } from './mysql-faults.ts';
import { type MysqlOptions, readMysqlOptions } from './mysql-options.ts';

/** Brings MySQL and MariaDB to the layer, standing on mysql2. */
export const mysqlDriver: Driver<MysqlOptions, Connection> = defineDriver({
  name: 'mysql',
  schemes: ['mysql:', 'mariadb:'],
  dialect: mysqlDialect,
  connect: openConnection,
  classify: classifyMysqlError,
  configure: readMysqlOptions,
});
