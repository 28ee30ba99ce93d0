import { createDatabase } from '@dal/factory';
import { suggestPoolSize } from '@dal/pool';
import { startServer } from '@dal/testing/servers';
import { expect, inject, test } from 'vitest';

const servers = inject('engines').filter(({ name }) => name !== 'sqlite');
const user = `dal_few_${process.pid}`;
const password = 'few-places';

/** The address of the same database for a user who may have three sessions. */
async function withUser<T>(
  name: string,
  url: string,
  work: (url: string) => Promise<T>,
): Promise<T> {
  await using admin = await createDatabase(url, { shared: false });
  const make =
    name === 'postgres'
      ? [`CREATE ROLE ${user} LOGIN PASSWORD '${password}' CONNECTION LIMIT 3`]
      : [
          `CREATE USER ${user}@'%' IDENTIFIED BY '${password}' WITH MAX_USER_CONNECTIONS 3`,
          `GRANT ALL ON *.* TO ${user}@'%'`,
        ];
  for (const statement of make) await admin.execute(statement);
  try {
    const theirs = new URL(url);
    theirs.username = user;
    theirs.password = password;
    return await work(theirs.href);
  } finally {
    await admin.execute(name === 'postgres' ? `DROP ROLE ${user}` : `DROP USER ${user}@'%'`);
  }
}

test.each(servers)('$name: a pool never has more than its user may have', async ({ name, url }) => {
  await withUser(name, url, async (few) => {
    await using db = await createDatabase(few, { pool: { max: 10 } });
    const told: unknown[] = [];
    db.hooks.on('poolLimited', (event) => told.push(event));
    const sleep = name === 'postgres' ? 'SELECT pg_sleep(0.01)' : 'SELECT SLEEP(0.01)';
    // All at once, before anything is known, and then again.
    const load = async (): Promise<object> => {
      await Promise.all(Array.from({ length: 40 }, () => db.query(sleep)));
      return db.pool.stats();
    };
    // Those that knocked at the same time may have been in each other's way.
    await expect
      .poll(load, { timeout: 8_000, interval: 50 })
      .toMatchObject({ max: 3, size: 3, peakLent: 3 });
    expect(db.pool.settings.max).toBe(10);
    expect(told).toContainEqual({ database: db.name, reason: 'capacity', limit: 3, max: 10 });
    const { connectErrors } = db.pool.stats();
    expect(connectErrors).toBeLessThanOrEqual(15);
    // Known now: nobody knocks in vain any more.
    await Promise.all(Array.from({ length: 40 }, () => db.query(sleep)));
    expect(db.pool.stats().connectErrors).toBe(connectErrors);
  });
});

test.each(servers)('$name: min asks for no more than there is', async ({ name, url }) => {
  await withUser(name, url, async (few) => {
    await using db = await createDatabase(few, {
      pool: { min: 8, max: 10, healthCheckIntervalMs: 40 },
    });
    await db.connect();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(db.pool.stats()).toMatchObject({ size: 3, max: 3, connectErrors: 0 });
  });
});

test('a full server is not knocked at: who waits gets what there is, and later there is more', async () => {
  await using server = await startServer('postgres', { settings: { max_connections: 12 } });
  await using admin = await createDatabase(server.url, { name: 'admin', pool: { max: 1 } });
  await admin.execute(`CREATE ROLE ${user} LOGIN PASSWORD '${password}'`);
  const address = new URL(server.url);
  address.username = user;
  address.password = password;
  // Nine places are not kept for superusers, but one who is there counts: eight. Six are taken.
  const other = await createDatabase(address.href, { name: 'other', shared: false });
  const held = await Promise.all(Array.from({ length: 6 }, () => other.acquire()));

  await using db = await createDatabase(address.href, { pool: { max: 20 }, shared: false });
  const told: { reason: string; limit: number }[] = [];
  db.hooks.on('poolLimited', ({ reason, limit }) => told.push({ reason, limit }));
  await db.query('SELECT 1');
  expect(db.pool.stats().max).toBe(9);
  expect(told).toEqual([{ reason: 'capacity', limit: 9 }]);

  const began = performance.now();
  let answers = 0;
  while (performance.now() - began < 2_000) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        await db.query('SELECT pg_sleep(0.02)');
        answers++;
      }),
    );
  }
  expect(answers).toBeGreaterThan(40);
  const { connectErrors, size } = db.pool.stats();
  expect(size).toBeGreaterThanOrEqual(2);
  expect(size).toBeLessThanOrEqual(3);
  // A few a second, however long the last round took.
  expect(connectErrors).toBeLessThanOrEqual(5 * ((performance.now() - began) / 1_000));
  expect(told.at(-1)?.reason).toBe('full');

  for (const connection of held) await connection.release();
  await other.close();
  const load = async (): Promise<number> => {
    await Promise.all(Array.from({ length: 20 }, () => db.query('SELECT pg_sleep(0.05)')));
    return db.pool.stats().size;
  };
  await expect.poll(load, { timeout: 15_000, interval: 100 }).toBe(8);
}, 60_000);

test.each(servers)(
  '$name: max "auto" is what suits the machine, as far as the server has places',
  async ({ name, url }) => {
    const { max } = suggestPoolSize();
    await withUser(name, url, async (few) => {
      await using db = await createDatabase(few, { pool: { max: 'auto' } });
      expect(db.pool.settings.max).toBe(max);
      await db.query('SELECT 1');
      expect(db.pool.stats().max).toBe(Math.min(max, 3));
    });
  },
);
