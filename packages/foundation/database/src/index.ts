export { holdsSomething } from '@dal/pool';
export type { DatabaseOptions, RetryOptions } from './database-options.ts';
export { type Closable, installShutdown, type ShutdownOptions } from './install-shutdown.ts';
export { type MigrateProvider, provideMigrate } from './migrate-provider.ts';
export { openDatabase } from './open-database.ts';
export type { JoinedPool, PoolRequest, PoolSource } from './pool-source.ts';
export { provideScaling, type ScalingProvider } from './scaling-provider.ts';
export {
  provideSync,
  readSyncSource,
  type SyncProvider,
  type SyncSource,
  type SyncTwin,
} from './sync-provider.ts';
