import { createDatabase } from '@dal/factory';
import { expect, inject, test } from 'vitest';

const server = inject('engines').find(({ name }) => name !== 'sqlite');

test.runIf(server)(
  'a load makes the pool grow within ten seconds, and its end shrink again',
  async () => {
    const { name, url } = server as NonNullable<typeof server>;
    await using admin = await createDatabase(url, { shared: false, pool: { max: 1 } });
    const label = `scaled_${process.pid}`;
    // The server's own count of sessions, by what they are called there.
    const count = async (): Promise<number> =>
      Number(
        await admin.queryValue(
          name === 'postgres'
            ? 'SELECT count(*) FROM pg_stat_activity WHERE application_name = ?'
            : "SELECT count(*) FROM performance_schema.session_connect_attrs WHERE ATTR_NAME = 'program_name' AND ATTR_VALUE = ?",
          [label],
        ),
      );
    await using db = await createDatabase(
      { url, applicationName: label },
      { pool: { min: 1, max: 12, autoScale: true }, shared: false },
    );
    await db.connect();
    expect(await count()).toBe(1);
    expect(db.pool.stats().target).toBe(1);

    const load = { goesOn: true };
    // One connection is one caller; the other five wait until the pool has grown.
    const sleep = name === 'postgres' ? 'SELECT pg_sleep(0.05)' : 'SELECT SLEEP(0.05)';
    const callers = Array.from({ length: 6 }, async () => {
      while (load.goesOn) await db.query(sleep);
    });
    await expect.poll(count, { timeout: 10_000, interval: 100 }).toBe(6);
    expect(db.pool.stats().target).toBeGreaterThanOrEqual(6);
    // It stays where it is while the load does.
    const { target } = db.pool.stats();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(db.pool.stats()).toMatchObject({ target });
    load.goesOn = false;
    await Promise.all(callers);
    await expect.poll(count, { timeout: 10_000, interval: 100 }).toBe(1);
    expect(db.pool.stats().target).toBe(1);
  },
);
