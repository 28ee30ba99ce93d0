import type { Database } from '@dal/core';
import { ConfigError } from '@dal/core';
import { CallbackConnection } from './callback-connection.ts';
import { CallbackPool } from './callback-pool.ts';
import { library, type LibrarySettings } from './mysql2-library.ts';
import type { Mysql2PoolOptions } from './mysql2-pool.ts';

/** The parts of the module mysql2 that libraries ask for. */
export interface Mysql2Module {
  createPool(settings?: LibrarySettings | string): CallbackPool;
  /** A connection that is lent until `end()`, or `destroy()`. */
  createConnection(settings?: LibrarySettings | string): CallbackConnection;
  readonly [name: string]: unknown;
}

/**
 * The module mysql2 with a database behind its `createPool` and `createConnection`, for libraries that
 * take the module: `driver` of TypeORM, `dialectModule` of Sequelize. What they say about host and user is
 * passed over; what they say about values is obeyed, before the options here.
 */
export function mysql2Module(db: Database, options: Mysql2PoolOptions = {}): Mysql2Module {
  const { keepOpen: _, ...ofValues } = options;
  const { escape, escapeId, format, raw, Types, Charsets } = library;
  return {
    createPool: (settings) => new CallbackPool(db, { ...options, ...settingsOf(settings) }),
    createConnection: (settings) =>
      new CallbackConnection(db.acquire(), { ...ofValues, ...settingsOf(settings) }),
    createPoolCluster: () => {
      throw notThis('createPoolCluster', 'a database with several servers');
    },
    escape,
    escapeId,
    format,
    raw,
    Types,
    Charsets,
  };
}

const READ = [
  'rowsAsArray',
  'namedPlaceholders',
  'nestTables',
  'typeCast',
  'dateStrings',
  'supportBigNumbers',
  'bigNumberStrings',
  'stringifyObjects',
  'timezone',
] as const satisfies readonly (keyof LibrarySettings)[];

function settingsOf(settings: LibrarySettings | string | undefined): LibrarySettings {
  if (typeof settings !== 'object') return {};
  const given = READ.filter((name) => settings[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, settings[name]]));
}

function notThis(name: string, instead: string): ConfigError {
  return new ConfigError(`mysql2Module has no ${name}; use ${instead}.`, {
    kind: 'usage',
    code: 'DAL_ADAPTER_USAGE',
  });
}
