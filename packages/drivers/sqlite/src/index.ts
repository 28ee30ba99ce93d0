export { DalError, isDalError, json, sql } from '@dal/core';
export type { Connection, Database, Transaction } from '@dal/core';
export { installShutdown } from '@dal/database';
export type { SqliteRaw } from './session-line.ts';
export { sqlite, type SqliteConfig } from './sqlite.ts';
export { sqliteDriver } from './sqlite-driver.ts';
/** The name under which `@dal/factory` looks for a driver in a package. */
export { driver } from './sqlite-driver.ts';
export { SqliteError } from './sqlite-faults.ts';
export type { RunsIn, SqliteOptions, SqliteSettings } from './sqlite-options.ts';
