import { ConfigError, type Database } from '@dal/core';
import { mysql2Module } from '@dal/mysql2-pool';
import { pgModule } from '@dal/pg-pool';

/** What a `DataSource` takes from here. */
export interface DalDriver {
  /** The module that TypeORM would load by itself: `pg` or `mysql2`, with the database behind its pool. */
  readonly driver: object;
  /** Asks for no other module of PostgreSQL, even when `pg-native` is installed. */
  readonly nativeDriver?: object;
}

/**
 * The part of a `DataSource`'s options that puts it on a database of DAL:
 * `new DataSource({ type: 'postgres', ...dalDriver(db), entities })`. The `type` is that of the server:
 * `postgres`, `mysql` or `mariadb`. `destroy()` leaves the database open, since it is yours.
 *
 * @throws ConfigError for SQLite, whose driver in TypeORM answers before anybody could wait
 */
export function dalDriver(db: Database): DalDriver {
  switch (db.dialect.name) {
    case 'postgres':
      return { driver: pgModule(db, { keepOpen: true }), nativeDriver: {} };
    case 'mysql':
      return { driver: mysql2Module(db, { keepOpen: true }) };
    default:
      throw new ConfigError(
        `TypeORM can't run on "${db.name}", a database of the engine "${db.dialect.name}": its drivers for it call better-sqlite3, and take no answer that has to be awaited. Use PostgreSQL, MySQL or MariaDB.`,
        { kind: 'usage', code: 'DAL_ADAPTER_DIALECT' },
      );
  }
}
