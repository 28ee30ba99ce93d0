import { createDatabase } from '@dal/factory';
import { expect, inject, test } from 'vitest';

const engines = inject('engines');
const postgres = engines.filter(({ name }) => name === 'postgres');

test.each(postgres)(
  '$name: a text is prepared when it comes again, tagged calls are not',
  async ({ url }) => {
    await using db = await createDatabase(url, { pool: { max: 1 }, tags: { app: 'shop' } });
    const names = async (like: string): Promise<number> =>
      Number(
        await db.queryValue(
          'SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE ?',
          [like],
          { tags: { probe: 1 } },
        ),
      );
    await db.query('SELECT ? :: int AS once', [1]);
    expect(await names('%once%')).toBe(0);
    for (let round = 0; round < 5; round++) await db.query('SELECT ? :: int AS again', [round]);
    expect(await names("%again /*app='shop'*/")).toBe(1);
    for (let round = 0; round < 5; round++) {
      await db.query('SELECT ? :: int AS tagged', [round], { tags: { request: round } });
    }
    expect(await names('%tagged%')).toBe(0);
    expect(db.pool.stats().statements.hits).toBeGreaterThan(2);
  },
);

test.each(engines)(
  '$name: a plan that a change of the table made stale is made anew',
  async ({ url }) => {
    await using db = await createDatabase(url, { pool: { max: 3 } });
    await db.query('DROP TABLE IF EXISTS stale_plans');
    await db.query('CREATE TABLE stale_plans (id int PRIMARY KEY)');
    await db.query('INSERT INTO stale_plans VALUES (1)');
    const read = (): Promise<unknown[]> => db.query('SELECT * FROM stale_plans WHERE id = ?', [1]);
    for (let round = 0; round < 4; round++) {
      await Promise.all([read(), read(), read(), read()]);
    }
    await db.query('ALTER TABLE stale_plans ADD COLUMN extra int DEFAULT 5');
    for (let round = 0; round < 4; round++) {
      const answers = await Promise.all([read(), read(), read()]);
      for (const answer of answers) expect(answer).toEqual([{ id: 1, extra: 5 }]);
    }
    await db.query('DROP TABLE stale_plans');
  },
);

const MAX = 2;
const servers = engines.filter(({ name }) => name !== 'sqlite');

test.each(servers)(
  '$name: ten thousand texts keep no more than a bounded number prepared',
  { timeout: 60_000 },
  async ({ name, url }) => {
    await using db = await createDatabase(url, { pool: { max: MAX } });
    let most = 0;
    for (let start = 0; start < 10_000; start += 500) {
      const texts = Array.from({ length: 500 }, (_, n) => `SELECT ? + ${start + n} AS sum`);
      // Twice each, so that every one of them is worth a name.
      for (const text of [...texts, ...texts]) await db.query(text, [1]);
      most = Math.max(most, await preparedNow());
    }
    // What one session may keep, for each session.
    expect(most).toBeLessThanOrEqual(500 * MAX);
    expect(most).toBeGreaterThan(20);
    const { size, capacity, misses, evictions } = db.pool.stats().statements;
    expect(size).toBeLessThanOrEqual(capacity);
    expect(misses).toBeGreaterThan(9_000);
    expect(evictions).toBeGreaterThan(8_000);

    /** Asked of the server: PostgreSQL shows a session its own, the others count them all. */
    async function preparedNow(): Promise<number> {
      if (name === 'postgres') {
        const count = 'SELECT count(*) FROM pg_prepared_statements';
        return Number(await db.queryValue(count)) * MAX;
      }
      const text = "SHOW STATUS LIKE 'Prepared_stmt_count'";
      const before = await db.queryOne<{ Value: string }>(text);
      return Number(before?.Value);
    }
  },
);
