import type { Database } from '@dal/core';
import { DalDriver } from './dal-driver.ts';
import type { Dialect } from './kysely.ts';
import { type KnownLanguage, type KyselyLanguage, languageOf } from './languages.ts';

export interface DalDialectOptions {
  /** `kysely.destroy()` leaves the database open, for others who use it. Default: it closes it. */
  readonly keepOpen?: boolean;
  /**
   * How Kysely speaks to an engine that it has no compiler for: the name of an engine that speaks alike,
   * or any object with these three members, such as a dialect of Kysely's. Default: by the database.
   */
  readonly language?: KnownLanguage | KyselyLanguage;
}

/**
 * Kysely over a DAL database: `new Kysely<Tables>({ dialect: dalDialect(db) })`.
 *
 * @throws ConfigError `DAL_KYSELY_LANGUAGE` when Kysely has no compiler for the database's engine
 */
export function dalDialect(db: Database, options: DalDialectOptions = {}): Dialect {
  const { keepOpen = false } = options;
  const language = languageOf(options.language ?? db.dialect.name);
  return {
    createDriver: () => new DalDriver(db, keepOpen),
    createQueryCompiler: () => language.createQueryCompiler(),
    createAdapter: () => language.createAdapter(),
    createIntrospector: (kysely) => language.createIntrospector(kysely),
  };
}
