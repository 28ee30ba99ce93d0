import type { Database } from '@dal/core';
import { PgClient } from './pg-client.ts';
import { pgLibrary } from './pg-library.ts';
import { PgPool, type PgPoolOptions } from './pg-pool.ts';
import type { QueryDefaults } from './pg-query.ts';

/** What is left of the settings that `pg` takes: all about the connection is the database's. */
type Settings = QueryDefaults | string | undefined;

/** The parts of the module `pg` that libraries ask for. */
export interface PgModule {
  readonly Pool: new (settings?: Settings) => PgPool;
  readonly Client: new (settings?: Settings) => PgClient;
  readonly native: undefined;
  readonly [name: string]: unknown;
}

/**
 * The module `pg` with a database behind its `Pool` and `Client`, for libraries that take the module:
 * `driver` of TypeORM, `dialectModule` of Sequelize. What they say about host and user is passed over.
 *
 * @throws ConfigError when `pg` itself is not installed, whose types and constants it hands on
 */
export function pgModule(db: Database, options: PgPoolOptions = {}): PgModule {
  const pg = pgLibrary();
  class Pool extends PgPool {
    constructor(settings?: Settings) {
      super(db, { ...options, ...defaultsOf(settings) });
    }
  }
  class Client extends PgClient {
    constructor(settings?: Settings) {
      super(db, { ...options, ...defaultsOf(settings) });
    }
  }
  const { types, defaults, DatabaseError, TypeOverrides, Query } = pg;
  const { Result, escapeIdentifier, escapeLiteral } = pg;
  return {
    Pool,
    Client,
    native: undefined,
    types,
    defaults,
    DatabaseError,
    TypeOverrides,
    Query,
    Result,
    escapeIdentifier,
    escapeLiteral,
  };
}

function defaultsOf(settings: Settings): QueryDefaults {
  if (typeof settings !== 'object') return {};
  const { types, query_timeout } = settings;
  return { ...(types ? { types } : {}), ...(query_timeout ? { query_timeout } : {}) };
}
