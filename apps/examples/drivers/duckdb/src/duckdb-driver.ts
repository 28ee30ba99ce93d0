import { basename } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { defineDriver, type Driver } from '@dal/core';
import { DuckdbConnection } from './duckdb-connection.ts';
import { duckdbDialect } from './duckdb-dialect.ts';
import { classifyDuckdbError } from './duckdb-faults.ts';
import { type DuckdbSettings, readDuckdbOptions } from './duckdb-options.ts';

/** DuckDB for DAL. */
export const duckdbDriver: Driver<DuckdbSettings, DuckDBConnection> = defineDriver({
  name: 'duckdb',
  schemes: ['duckdb:'],
  dialect: duckdbDialect,
  configure: readDuckdbOptions,
  classify: classifyDuckdbError,

  // Each session in memory would be a database of its own.
  poolOptions: ({ path }) => (path === ':memory:' ? { max: 1, keepOne: true } : {}),

  async connect({ path, readOnly, ...settings }) {
    const mode = { access_mode: readOnly ? 'READ_ONLY' : 'AUTOMATIC' };
    // A process may open a file once only; its sessions share what is open.
    const instance = await DuckDBInstance.fromCache(path, path === ':memory:' ? {} : mode);
    try {
      return new DuckdbConnection(await instance.connect(), instance, {
        path,
        readOnly,
        ...settings,
      });
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  },

  describe: ({ path }) => ({
    system: 'duckdb',
    namespace: basename(path),
    address: undefined,
    port: undefined,
  }),
});
