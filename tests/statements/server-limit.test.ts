import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase } from '@dal/factory';
import { expect, inject, test } from 'vitest';

const program = new URL('frozen-client.ts', import.meta.url);

/** A statement that writes where the server's limit covers writes; MySQL's covers reads alone. */
const stuck = {
  postgres: 'UPDATE limit_rows SET n = (SELECT 1 FROM pg_sleep(60)) WHERE id = 1',
  mysql:
    'SELECT SUM(a.id * b.id + c.id * d.id) FROM limit_many a, limit_many b, limit_many c, limit_many d',
  mariadb: 'UPDATE limit_rows SET n = sleep(60) WHERE id = 1',
  sqlite:
    'UPDATE limit_rows SET n = (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n) WHERE id = 1',
};

test.concurrent.each(inject('engines'))(
  '$name: the server itself ends a statement whose client is frozen',
  { timeout: 40_000 },
  async ({ name, url }) => {
    await using db = await createDatabase(url);
    for (const table of ['limit_rows', 'limit_many']) {
      await db.execute(`DROP TABLE IF EXISTS ${table}`);
      await db.execute(`CREATE TABLE ${table} (id int PRIMARY KEY, n int)`);
    }
    await db.execute('INSERT INTO limit_rows VALUES (1, 0)');
    await db.bulkInsert(
      'limit_many',
      Array.from({ length: 500 }, (_, id) => ({ id, n: 0 })),
    );

    const client = startClient([url, stuck[name]]);
    try {
      await once(client, 'message');
      await expect.poll(() => isRunning(), { timeout: 3_000 }).toBe(true);
      client.kill('SIGSTOP');
      const frozen = performance.now();
      // The statement's second, the margin behind it, and a loaded machine.
      await expect.poll(() => isRunning(), { timeout: 10_000, interval: 100 }).toBe(false);
      // Not before: the client's own clock comes first, and it stands still.
      expect(performance.now() - frozen).toBeGreaterThan(1_500);
    } finally {
      client.kill('SIGKILL');
      if (client.exitCode === null && client.signalCode === null) await once(client, 'exit');
    }
    for (const table of ['limit_rows', 'limit_many']) await db.execute(`DROP TABLE ${table}`);

    async function isRunning(): Promise<boolean> {
      if (name === 'sqlite') return isLocked();
      const text =
        name === 'postgres'
          ? "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE ? AND pid <> pg_backend_pid()"
          : "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE ? AND id <> connection_id() AND command <> 'Sleep'";
      return Number(await db.queryValue(text, [`%${stuck[name].slice(0, 60)}%`])) > 0;
    }

    /** A file has no list of statements, but whoever writes holds its lock. */
    async function isLocked(): Promise<boolean> {
      try {
        await db.execute('UPDATE limit_rows SET n = 0 WHERE id = 1', [], { timeoutMs: 150 });
        await sleep(100);
        return false;
      } catch {
        return true;
      }
    }
  },
);

function startClient(args: string[]): ChildProcess {
  return fork(program, args, { execArgv: ['--conditions=@dal/source'], stdio: 'inherit' });
}
