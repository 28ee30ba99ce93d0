export { createDatabase, type DatabaseConfig } from './create-database.ts';
export { registerDriver, registerScheme } from './driver-registry.ts';
export {
  type Connection,
  DalError,
  type Database,
  isDalError,
  json,
  optionsFromEnvironment,
  sql,
  type Transaction,
} from '@dal/core';
export type { DatabaseOptions } from '@dal/database';
