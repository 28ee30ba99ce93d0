import type { Database } from '@dal/core';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';
import { sqlite } from '@dal/sqlite';

type Engine = 'postgres' | 'mysql' | 'mariadb' | 'sqlite';

const openers = { postgres, mysql, mariadb: mysql, sqlite };

export function openEngine(
  { name, url }: { readonly name: Engine; readonly url: string },
  path: string,
): Database {
  // A connection of SQLite is a process, and one of them writes at a time.
  return name === 'sqlite'
    ? sqlite(`sqlite:${path}`, { pool: { max: 3 } })
    : openers[name](url, { pool: { max: 8 } });
}

/** Types of a test are its own: the tests of other files share the server. */
export function ownName(word: string): string {
  return `${word}_${Math.random().toString(36).slice(2, 10)}`;
}
