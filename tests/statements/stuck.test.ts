import { createDatabase } from '@dal/factory';
import { expect, inject, test } from 'vitest';

const endless =
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n';

/** One statement that locks a row and then takes a minute, and how to see it on the server. */
const stuck = {
  postgres: {
    update:
      'WITH held AS (UPDATE stuck_rows SET n = n + 1 WHERE id = 1 RETURNING id) SELECT pg_sleep(60) FROM held',
    running:
      "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60) FROM held%' AND pid <> pg_backend_pid()",
  },
  mysql: {
    update: 'UPDATE stuck_rows SET n = n + 1 WHERE id = 1 AND sleep(60) = 0',
    running:
      "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%sleep(60) = 0%' AND id <> connection_id()",
  },
  sqlite: { update: `UPDATE stuck_rows SET n = (${endless}) WHERE id = 1`, running: undefined },
};

const engines = inject('engines').map((engine) => ({
  ...engine,
  ...stuck[engine.name === 'mariadb' ? 'mysql' : engine.name],
}));

test.each(engines)(
  '$name: a stopped statement is gone from the server within a second, and so are its locks',
  async ({ url, update, running }) => {
    await using db = await createDatabase(url, { pool: { max: 1 } });
    await using other = await createDatabase(url);
    await other.execute('DROP TABLE IF EXISTS stuck_rows');
    await other.execute('CREATE TABLE stuck_rows (id int PRIMARY KEY, n int)');
    await other.execute('INSERT INTO stuck_rows VALUES (1, 0)');
    await db.query('SELECT 1');

    const ways = [
      () => db.execute(update, [], { timeoutMs: 200 }),
      () => db.execute(update, [], { signal: AbortSignal.timeout(200) }),
      () =>
        db.transaction(async (tx) => {
          await tx.execute('UPDATE stuck_rows SET n = 100 WHERE id = 1');
          await tx.execute(update, [], { timeoutMs: 200 });
        }),
      () => db.transaction((tx) => tx.execute(update), { timeoutMs: 200 }),
    ];
    for (const way of ways) {
      const started = performance.now();
      await expect(way()).rejects.toMatchObject({
        code: expect.stringMatching(/^DAL_(?:STATEMENT_TIMEOUT|TRANSACTION_TIMEOUT|ABORTED)$/),
      });
      expect(performance.now() - started).toBeLessThan(700);
      // The same pool, with its only place, and the row that was locked.
      expect(await db.queryValue('SELECT n FROM stuck_rows', [], { timeoutMs: 1_500 })).toBe(0);
      await other.execute('UPDATE stuck_rows SET n = 0 WHERE id = 1', [], { timeoutMs: 1_500 });
      if (running) expect(Number(await other.queryValue(running))).toBe(0);
      expect(performance.now() - started).toBeLessThan(2_000);
    }
    await other.execute('DROP TABLE stuck_rows');
  },
);
