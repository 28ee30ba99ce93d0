export { enableSync } from './enable-sync.ts';
export { isAsyncEnvironment } from './is-async-environment.ts';
export { openSyncDatabase } from './open-sync-database.ts';
export type {
  SyncConnection,
  SyncDatabase,
  SyncQueryable,
  SyncRowStream,
  SyncTransaction,
} from '@dal/core';
