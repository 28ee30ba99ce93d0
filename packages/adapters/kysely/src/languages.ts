import { ConfigError } from '@dal/core';
import {
  type Dialect,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from './kysely.ts';
import { PooledSqliteAdapter } from './pooled-sqlite-adapter.ts';

/** What of a Kysely dialect is about words, and not about connections. */
export type KyselyLanguage = Pick<
  Dialect,
  'createAdapter' | 'createIntrospector' | 'createQueryCompiler'
>;

/** MySQL and MariaDB share one. */
export type KnownLanguage = 'mysql' | 'postgres' | 'sqlite';

const languages: Readonly<Record<KnownLanguage, KyselyLanguage>> = {
  mysql: {
    createAdapter: () => new MysqlAdapter(),
    createIntrospector: (kysely) => new MysqlIntrospector(kysely),
    createQueryCompiler: () => new MysqlQueryCompiler(),
  },
  postgres: {
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (kysely) => new PostgresIntrospector(kysely),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
  sqlite: {
    createAdapter: () => new PooledSqliteAdapter(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
};

/** @throws ConfigError `DAL_KYSELY_LANGUAGE` for an engine that is not known here */
export function languageOf(language: string | KyselyLanguage): KyselyLanguage {
  if (typeof language !== 'string') return language;
  if (Object.hasOwn(languages, language)) return languages[language as KnownLanguage];
  throw new ConfigError(
    `Kysely has no compiler for "${language.slice(0, 40)}". Give one: dalDialect(db, { language }), which is ${Object.keys(languages).join(', ')}, or a Kysely dialect for that engine.`,
    { kind: 'usage', code: 'DAL_KYSELY_LANGUAGE' },
  );
}
