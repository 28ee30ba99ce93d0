import { type Kysely, SqliteAdapter } from './kysely.ts';

/**
 * Kysely's own SQLite has one connection, so that a transaction keeps everybody else waiting, and the
 * programmer who forgot `trx.` waits for good. The layer has a pool.
 */
export class PooledSqliteAdapter extends SqliteAdapter {
  #lastMigration: Promise<void> = Promise.resolve();
  #endMigration: (() => void) | undefined;

  override get supportsMultipleConnections(): boolean {
    return true;
  }

  /** One connection was Kysely's lock; now migrators of one program take turns here. */
  override async acquireMigrationLock(_kysely: Kysely<unknown>, _options: unknown): Promise<void> {
    const before = this.#lastMigration;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastMigration = promise;
    await before;
    this.#endMigration = resolve;
  }

  override async releaseMigrationLock(_kysely: Kysely<unknown>, _options: unknown): Promise<void> {
    this.#endMigration?.();
  }
}
