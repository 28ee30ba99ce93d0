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
