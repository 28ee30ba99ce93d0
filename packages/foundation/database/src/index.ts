export type { DatabaseOptions, RetryOptions } from './database-options.ts';
export { openDatabase } from './open-database.ts';
export {
  provideSync,
  readSyncSource,
  type SyncProvider,
  type SyncSource,
  type SyncTwin,
} from './sync-provider.ts';
