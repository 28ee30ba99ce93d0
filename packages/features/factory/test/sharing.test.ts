import { setTimeout as pause } from 'node:timers/promises';
import { createDatabase, poolRegistry } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { afterEach, describe, expect, inject, test, vi } from 'vitest';

const engines = inject('engines');
const servers = engines.filter(({ name }) => name !== 'sqlite');

afterEach(async () => {
  // What a failed test left behind would be shared by the next.
  await poolRegistry.close(undefined, { timeoutMs: 1_000 });
});

describe.each(servers)('$name', ({ name, url }) => {
  /** Sessions that the server lists under a user's own mark, asked on a connection beside. */
  const countSessions = async (label: string): Promise<number> => {
    await using observer = await createDatabase(url, { name: 'observer', shared: false });
    return Number(await observer.queryValue(sessionsOf(name), [`%${label}%`]));
  };
  /** Holds sessions in statements that carry a mark, and counts them on the server meanwhile. */
  const seen = async (label: string, runs: (() => Promise<unknown>)[]): Promise<number> => {
    const running = Promise.all(runs.map((run) => run()));
    await pause(150);
    const count = await countSessions(label);
    await running;
    return count;
  };
  const sleep = name === 'postgres' ? 'SELECT pg_sleep(0.4)' : 'SELECT SLEEP(0.4)';

  test('two databases of one configuration have one pool, on the server too', async () => {
    await using first = await createDatabase(url, { name: 'first', pool: { max: 2 } });
    await using second = await createDatabase(url, {
      name: 'second',
      pool: { max: 2 },
      statementTimeoutMs: 9_000,
      tags: { of: 'second' },
    });
    await Promise.all([first.query('SELECT 1'), second.query('SELECT 1')]);
    const tags = { mark: `shared_${name}` };
    const runs = [first, second, first, second].map((db) => () => db.query(sleep, [], { tags }));
    expect(await seen(`shared_${name}`, runs)).toBe(2);
    expect(first.pool.stats().peakLent).toBe(2);
    expect(second.pool.stats()).toEqual(first.pool.stats());
    expect(first.name).toBe('first');
    expect(second.name).toBe('second');
    expect(poolRegistry.status(second.configHash)).toMatchObject([
      { name: 'first', databases: 2, state: 'open', pool: { created: 2 } },
    ]);
  });

  test('shared: false has a pool of its own, and so have other options', async () => {
    await using first = await createDatabase(url, { pool: { max: 2 } });
    await using alone = await createDatabase(url, { pool: { max: 2 }, shared: false });
    await using wider = await createDatabase(url, { pool: { max: 3 } });
    const tags = { mark: `apart_${name}` };
    const runs = [first, first, first, alone, alone, alone, wider, wider, wider].map(
      (db) => () => db.query(sleep, [], { tags }),
    );
    expect(await seen(`apart_${name}`, runs)).toBe(7);
  });

  test('closing one does not cut the other, and ends what it borrowed itself', async () => {
    await using stays = await createDatabase(url, { name: 'stays', pool: { max: 3 } });
    const goes = await createDatabase(url, { name: 'goes', pool: { max: 3 } });
    const forgotten = await goes.acquire();
    const slow = stays.query(sleep);
    const began = performance.now();
    const report = await goes.close({ timeoutMs: 400 });
    expect(performance.now() - began).toBeLessThan(900);
    expect(report.heldOn).toHaveLength(1);
    await slow;
    await expect(forgotten.query('SELECT 1')).rejects.toThrow('given back');
    await expect(goes.query('SELECT 1')).rejects.toMatchObject({ code: 'DAL_CLOSED' });
    await expect(goes.acquire()).rejects.toThrow('"goes" is closed');
    expect(await stays.queryValue('SELECT 7')).toBe(7);
    expect(stays.pool.stats()).toMatchObject({ lent: 0 });
    expect(poolRegistry.status(stays.configHash)).toMatchObject([{ databases: 1 }]);
  });

  test('who waits on a database that is closed is told at once, and no connection is lost', async () => {
    await using stays = await createDatabase(url, { pool: { max: 1 } });
    const goes = await createDatabase(url, { name: 'goes', pool: { max: 1 } });
    const only = await stays.acquire();
    const waiting = goes.acquire();
    const refused = expect(waiting).rejects.toMatchObject({ code: 'DAL_CLOSED' });
    await goes.close({ timeoutMs: 1_000 });
    await refused;
    await only.release();
    expect(await stays.queryValue('SELECT 7')).toBe(7);
    expect(stays.pool.stats()).toMatchObject({ lent: 0, waiting: 0, size: 1 });
  });

  test('the pool is closed with the last one, and a new one is made after that', async () => {
    const databases = await Promise.all(
      [1, 2, 3].map(() => createDatabase(url, { pool: { max: 2 } })),
    );
    for (const db of databases) await db.query('SELECT 1');
    const configHash = databases[0]?.configHash;
    await Promise.all(databases.map((db) => db.close()));
    expect(poolRegistry.status(configHash)).toEqual([]);
    await using again = await createDatabase(url, { pool: { max: 2 } });
    expect(await again.queryValue('SELECT 7')).toBe(7);
    expect(again.pool.stats().created).toBe(1);
  });

  test('the wrong password never gets the pool that the right one opened', async () => {
    const wrongUrl = new URL(url);
    wrongUrl.password = 'wrong';
    await using right = await createDatabase(url);
    await right.query('SELECT 1');
    await using wrong = await createDatabase(wrongUrl.href);
    expect(wrong.configHash).toBe(right.configHash);
    await expect(wrong.query('SELECT 1')).rejects.toMatchObject({ kind: 'authentication' });
    expect(wrong.pool.stats().created).toBe(0);
    expect(await right.queryValue('SELECT 7')).toBe(7);
    expect(poolRegistry.status(right.configHash)).toHaveLength(2);
  });

  test('the same options in another spelling share too', async () => {
    const { hostname, port, username, password, pathname } = new URL(url);
    await using first = await createDatabase(url, { pool: { max: 2 } });
    await using second = await createDatabase(name, {
      host: hostname,
      port: Number(port),
      user: username,
      password: decodeURIComponent(password),
      database: pathname.slice(1),
      pool: { max: 2 },
    });
    await first.query('SELECT 1');
    await second.query('SELECT 1');
    expect(second.pool.stats().created).toBe(1);
    expect(poolRegistry.status(second.configHash)).toHaveLength(1);
  });

  test('modules that are loaded a second time share the pools of the first', async () => {
    await using first = await createDatabase(url, { pool: { max: 2 } });
    await first.query('SELECT 1');
    // As a development server does after a change: every module anew, and nothing was closed.
    vi.resetModules();
    const again = await import('@dal/factory');
    expect(again.createDatabase).not.toBe(createDatabase);
    await using second = await again.createDatabase(url, { pool: { max: 2 } });
    await second.query('SELECT 1');
    expect(second.pool.stats().created).toBe(1);
    expect(again.poolRegistry).toBe(poolRegistry);
  });

  test('health tells of each pool, close ends those of one configuration', async () => {
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    await using up = await createDatabase(url, { name: 'up' });
    await using down = await createDatabase(proxy.through(url), { name: 'down' });
    await Promise.all([up.query('SELECT 1'), down.query('SELECT 1')]);
    await proxy.down();
    const health = await poolRegistry.health(undefined, { timeoutMs: 1_000 });
    expect(Object.fromEntries(health.map((one) => [one.name, one.status]))).toEqual({
      up: 'up',
      down: 'down',
    });
    const { configHash } = down;
    expect(await poolRegistry.health(configHash, { timeoutMs: 1_000 })).toMatchObject([
      { configHash, status: 'down' },
    ]);
    expect(poolRegistry.metrics(up.configHash)).toMatchObject([
      { totalAcquired: 2, currentActive: 0 },
    ]);
    await poolRegistry.close(up.configHash);
    await expect(up.query('SELECT 1')).rejects.toMatchObject({ code: 'DAL_CLOSED' });
    expect(poolRegistry.status().map((one) => one.name)).toEqual(['down']);
  });

  test('a leak is told to the database that has it', async () => {
    const options = { pool: { max: 2, leakThresholdMs: 40 } };
    await using honest = await createDatabase(url, { ...options, name: 'honest' });
    await using leaky = await createDatabase(url, { ...options, name: 'leaky' });
    const told: string[] = [];
    for (const db of [honest, leaky]) db.hooks.on('leak', ({ database }) => told.push(database));
    await honest.query('SELECT 1');
    const held = await leaky.acquire();
    await expect.poll(() => told, { timeout: 3_000 }).toEqual(['leaky']);
    await held.release();
  });
});

test("a database in memory is nobody else's", async () => {
  await using first = await createDatabase('sqlite::memory:');
  await using second = await createDatabase('sqlite::memory:');
  await first.execute('CREATE TABLE one (id INTEGER)');
  await expect(second.query('SELECT * FROM one')).rejects.toMatchObject({ kind: 'schema' });
});

function sessionsOf(name: string): string {
  return name === 'postgres'
    ? "SELECT count(*) FROM pg_stat_activity WHERE query LIKE ? AND pid <> pg_backend_pid() AND state = 'active'"
    : "SELECT count(*) FROM information_schema.processlist WHERE info LIKE ? AND id <> CONNECTION_ID() AND command <> 'Sleep'";
}
