import { ConfigError, type Database, type MigrateOptions, type MigrationReport } from '@dal/core';

/** Who runs migrations: `@dal/migrate`, once it was enabled. */
export interface MigrateProvider {
  run(db: Database, options: MigrateOptions): Promise<MigrationReport>;
}

/** Makes `db.migrate()` work in this thread, for every copy of this package. */
export function provideMigrate(provider: MigrateProvider): void {
  (globalThis as Slot)[slot] = provider;
}

/** @throws ConfigError when nobody was provided */
export function migrateBy(db: Database, options: MigrateOptions): Promise<MigrationReport> {
  const provider = (globalThis as Slot)[slot];
  if (provider !== undefined) return provider.run(db, options);
  throw new ConfigError(
    'db.migrate() needs the package @dal/migrate: npm install @dal/migrate, and call enableMigrate() once at the start of the program.',
    { kind: 'usage', code: 'DAL_MIGRATE_MISSING' },
  );
}

const slot = Symbol.for('dal.migrate');

interface Slot {
  [slot]?: MigrateProvider;
}
