export { createMigration, type CreateMigrationOptions } from './create-migration.ts';
export { enableMigrate } from './enable-migrate.ts';
export {
  checkMigrations,
  migrate,
  migrationStatus,
  resolveMigration,
  rollback,
} from './migrate.ts';
export type { FolderOptions, RollbackOptions } from './migrate-options.ts';
export { MigrationError } from './migration-error.ts';
export type { MigrationStatus } from './plan.ts';
export type { CodeContext as MigrationContext } from './run-migration.ts';
export type { MigrateOptions, MigrationReport, MigrationRun } from '@dal/core';
