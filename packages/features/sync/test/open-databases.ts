import type { Database } from '@dal/core';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';
import { sqlite } from '@dal/sqlite';

type Engine = 'postgres' | 'mysql' | 'mariadb' | 'sqlite';
type Options = {
  readonly statementTimeoutMs?: number;
  readonly pool?: { readonly max?: number; readonly acquireTimeoutMs?: number };
};

const openers = { postgres, mysql, mariadb: mysql, sqlite };

/** @param path the file of a SQLite database; a database in memory has only one session */
export function openEngine(
  { name, url }: { readonly name: Engine; readonly url: string },
  path: string,
  options: Options = {},
): Database {
  return openers[name](name === 'sqlite' ? `sqlite:${path}` : url, options);
}

/** A statement that takes a minute. */
export const SLEEP: Readonly<Record<Engine, string>> = {
  postgres: 'SELECT pg_sleep(60) AS slept',
  mysql: 'SELECT SLEEP(60) AS slept',
  mariadb: 'SELECT SLEEP(60) AS slept',
  sqlite:
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT max(i) AS slept FROM n',
};
