import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { dalDriver } from '@dal/typeorm';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { entities, scenario } from './program.ts';

const engines = inject('engines');

describe.each(engines.filter(({ name }) => name !== 'sqlite'))('$name', ({ name, url }) => {
  let db: Database;
  let ours: DataSource;
  let own: DataSource;
  const type = name as 'postgres' | 'mysql' | 'mariadb';

  const over = (options: object): Promise<DataSource> =>
    new DataSource({ type, entities: entities(type), ...options }).initialize();

  beforeAll(async () => {
    db = await createDatabase(url, { pool: { max: 3 } });
    ours = await over(dalDriver(db));
    own = await over({ url, poolSize: 3 });
  });
  afterAll(async () => {
    await ours.destroy();
    await own.destroy();
    // The database is the user's.
    expect(db.status().state).toBe('open');
    await db.close();
  });

  test('a program sees what it sees with its own driver; also the schema is made', async () => {
    await own.synchronize(true);
    const expected = await scenario(own);
    await ours.synchronize(true);
    // Nothing is left to do: the schema reads as it was written.
    expect((await ours.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
    expect(await scenario(ours)).toEqual(expected);
    await expect.poll(() => db.pool.stats()).toMatchObject({ lent: 0, leaked: 0 });
  });

  test('a server that is away for a moment is waited for', async () => {
    await ours.synchronize(true);
    const { hostname, port } = new URL(url);
    await using proxy = await startFaultProxy({ host: hostname, port: Number(port) });
    await using through = await createDatabase(proxy.through(url));
    const [mine, theirs] = [
      await over(dalDriver(through)),
      await over({ url: proxy.through(url) }),
    ];
    proxy.set('reset-on-accept');
    proxy.resetAll();
    await expect.poll(() => through.pool.stats().lostConnections).toBeGreaterThan(0);
    const answer = mine.getRepository('User').count();
    const changed = mine.transaction((manager) => manager.count('Post'));
    await expect(theirs.getRepository('User').count()).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    await expect.poll(() => through.pool.stats().connectErrors).toBeGreaterThan(0);
    proxy.set('pass');
    expect(await Promise.all([answer, changed])).toEqual([0, 0]);
    await Promise.all([mine.destroy(), theirs.destroy()]);
  });
});

test.runIf(engines.some(({ name }) => name === 'sqlite'))(
  'SQLite is refused in words',
  async () => {
    await using db = await createDatabase('sqlite::memory:');
    expect(() => dalDriver(db)).toThrow(
      /better-sqlite3, and take no answer that has to be awaited/,
    );
  },
);
