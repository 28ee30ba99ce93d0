export type { ConfigOptions, CreateOptions } from './config-options.ts';
export { createDatabase } from './create-database.ts';
export { DatabaseConfig, type DatabaseConfigOptions } from './database-config.ts';
export type { HealthReport } from './health-report.ts';
export { type Environment, loadConfig, type LoadConfigOptions } from './load-config.ts';
export {
  createManager,
  type DatabaseManager,
  type ManagerStats,
  type SetupReport,
} from './manager.ts';
export type { ManagerOptions } from './manager-options.ts';
export {
  PoolRegistry,
  poolRegistry,
  type SharedPoolHealth,
  type SharedPoolMetrics,
  type SharedPoolStatus,
} from './pool-registry.ts';
export { SetupError } from './setup-error.ts';
export { currentConfig, withConfig } from './with-config.ts';
export { registerDriver, registerScheme } from './driver-registry.ts';
export {
  type Connection,
  DalError,
  type Database,
  isDalError,
  json,
  sql,
  type Transaction,
} from '@dal/core';
export { type DatabaseOptions, installShutdown } from '@dal/database';
