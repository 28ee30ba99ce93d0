import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { dalDriver } from '@dal/typeorm';
import { DataSource, type ObjectLiteral, type Repository } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { outside, type Outside, words } from '../../../../tests/setup/outside.ts';
import { entities, scenario } from './program.ts';

const engines = inject('engines');

describe.each(engines.filter(({ name }) => name !== 'sqlite'))('$name', (engine) => {
  const { name, url } = engine;
  let db: Database;
  let server: Outside;
  let ours: DataSource;
  let own: DataSource;
  const type = name as 'postgres' | 'mysql' | 'mariadb';

  const over = (options: object): Promise<DataSource> =>
    new DataSource({ type, entities: entities(type), ...options }).initialize();

  /** Not `synchronize(true)`, which drops every table that there is, those of other tests too. */
  const dropTables = async (): Promise<void> => {
    await server.db.execute('DROP TABLE IF EXISTS typeorm_posts');
    await server.db.execute('DROP TABLE IF EXISTS typeorm_users');
  };

  beforeAll(async () => {
    server = await outside(engine);
    db = await createDatabase(url, { pool: { max: 3 } });
    ours = await over(dalDriver(db));
    own = await over({ url, poolSize: 3 });
  });
  afterEach(async () => {
    await expect
      .poll(() => db.pool.stats(), { timeout: 10_000 })
      .toMatchObject({ lent: 0, leaked: 0 });
  });
  afterAll(async () => {
    await Promise.all([ours.destroy(), own.destroy()]);
    // The database is the user's.
    expect(db.status().state).toBe('open');
    await db.close();
    await dropTables();
    await server[Symbol.asyncDispose]();
  });

  test('a program sees what it sees with its own driver; also the schema is made', async () => {
    await dropTables();
    await own.synchronize();
    const expected = await scenario(own);
    await dropTables();
    await ours.synchronize();
    // Nothing is left to do: the schema reads as it was written.
    expect((await ours.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
    expect(await scenario(ours)).toEqual(expected);
  });

  const users = (on: Pick<DataSource, 'getRepository'> = ours): Repository<ObjectLiteral> =>
    on.getRepository('User');
  /** The server's number of the session that this runs on. */
  const sessionOf = async (on: Pick<DataSource, 'query'>): Promise<unknown> => {
    const [row] = await on.query<{ id: unknown }[]>(words[name].id);
    return row?.id;
  };

  test('a session is killed while it rests: the next query works', async () => {
    const { lostConnections } = db.pool.stats();
    await server.kill(await sessionOf(ours));
    await expect
      .poll(() => db.pool.stats().lostConnections, { timeout: 10_000 })
      .toBeGreaterThan(lostConnections);
    expect(await users().count()).toBe(2);
  });

  test('a transaction is killed: nothing of it stays, the pool goes on', async () => {
    const change = (on: Pick<DataSource, 'getRepository'>, to: string): Promise<unknown> =>
      users(on).update({ email: 'ada' }, { name: to });
    const killed = ours.transaction(async (manager) => {
      await change(manager, 'Half');
      await server.kill(await sessionOf(manager));
      await change(manager, 'Whole');
    });
    await expect(killed).rejects.toMatchObject({
      name: 'QueryFailedError',
      driverError: { kind: 'connection' },
    });
    const names = (): Promise<unknown> =>
      server.db.query("SELECT name FROM typeorm_users WHERE email = 'ada'");
    expect(await names()).toEqual([{ name: 'Kept' }]);
    await ours.transaction((manager) => change(manager, 'After'));
    expect(await names()).toEqual([{ name: 'After' }]);
  });

  test('a server that is away for a moment is waited for', async () => {
    const { hostname, port } = new URL(url);
    await using proxy = await startFaultProxy({ host: hostname, port: Number(port) });
    await using through = await createDatabase(proxy.through(url));
    const [mine, theirs] = [
      await over(dalDriver(through)),
      await over({ url: proxy.through(url) }),
    ];
    // Until they rest, sessions are made as new, and would end without being missed.
    const isResting = (): boolean => through.pool.stats().idle === through.pool.stats().size;
    await expect.poll(isResting, { timeout: 10_000 }).toBe(true);
    proxy.set('reset-on-accept');
    proxy.resetAll();
    await expect
      .poll(() => through.pool.stats().lostConnections, { timeout: 10_000 })
      .toBeGreaterThan(0);
    const answer = users(mine).count();
    const changed = mine.transaction((manager) => manager.count('Post'));
    await expect(users(theirs).count()).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    await expect
      .poll(() => through.pool.stats().connectErrors, { timeout: 10_000 })
      .toBeGreaterThan(0);
    proxy.set('pass');
    expect(await Promise.all([answer, changed])).toEqual([2, 2]);
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
