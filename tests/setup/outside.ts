import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import type { Engine } from '@dal/testing/servers';

/** What the server does, seen and changed from a session of its own. */
export interface Outside extends AsyncDisposable {
  readonly db: Database;
  /** The sessions that run a statement with this word in it. */
  running(word: string): Promise<unknown[]>;
  kill(session: unknown): Promise<void>;
}

interface Words {
  /** Runs for half a minute; `word` is to be found in it. */
  readonly long: (word: string) => string;
  readonly running: string;
  /** The number of the session that asks. */
  readonly id: string;
  readonly kill: (session: unknown) => string;
}

const mysql: Words = {
  long: (word) => `select sleep(30) as ${word}`,
  running:
    'SELECT id FROM information_schema.processlist WHERE info LIKE ? AND id <> CONNECTION_ID()',
  id: 'select connection_id() as id',
  kill: (session) => `KILL ${String(session)}`,
};

export const words: Readonly<Record<Engine['name'], Words>> = {
  postgres: {
    long: (word) => `select pg_sleep(30) as ${word}`,
    running:
      "SELECT pid FROM pg_stat_activity WHERE query LIKE ? AND state = 'active' AND pid <> pg_backend_pid()",
    id: 'select pg_backend_pid() as id',
    kill: (session) => `SELECT pg_terminate_backend(${String(session)})`,
  },
  mysql,
  mariadb: mysql,
  sqlite: {
    ...mysql,
    long: (word) =>
      `with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as ${word} from n`,
  },
};

export async function outside({ name, url }: Pick<Engine, 'name' | 'url'>): Promise<Outside> {
  // Of its own, so that it never kills itself.
  const db = await createDatabase(url, { name: 'outside', shared: false, pool: { max: 3 } });
  const { running, kill } = words[name];
  return {
    db,
    running: async (word) => {
      if (name === 'sqlite') return [];
      const rows = await db.query(running, [`%${word}%`]);
      return rows.map((row) => Object.values(row)[0]);
    },
    kill: async (session) => {
      await db.query(kill(session));
    },
    [Symbol.asyncDispose]: async () => {
      await db.close();
    },
  };
}
