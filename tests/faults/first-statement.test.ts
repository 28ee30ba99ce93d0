// Nothing depends on the session of a connection that was just lent, so what comes first on it is as safe
// to run again as a statement of its own, and no safer.
import type { Connection, Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { type FaultProxy, startFaultProxy } from '@dal/testing/faults';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';

const ids: Readonly<Record<string, string>> = {
  postgres: 'SELECT pg_backend_pid()',
  mysql: 'SELECT CONNECTION_ID()',
  mariadb: 'SELECT CONNECTION_ID()',
};

describe.each(inject('engines').filter(({ name }) => name !== 'sqlite'))(
  '$name',
  ({ name, url }) => {
    let proxy: FaultProxy;
    let db: Database;
    let outside: Database;
    const table = 'first_statement';
    const idOf = (on: Database | Connection): Promise<unknown> => on.queryValue(ids[name]!);

    beforeAll(async () => {
      const { hostname, port } = new URL(url);
      proxy = await startFaultProxy({ host: hostname, port: Number(port) });
      db = await createDatabase(proxy.through(url), {
        pool: { max: 1, acquireStacks: 'always', validate: { afterIdleMs: 60_000 } },
      });
      outside = await createDatabase(url);
      await outside.execute(`DROP TABLE IF EXISTS ${table}`);
      await outside.execute(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY)`);
    });
    afterEach(() => {
      proxy.set('pass');
      expect(db.pool.stats()).toMatchObject({ lent: 0 });
    });
    afterAll(async () => {
      await outside.execute(`DROP TABLE ${table}`);
      await Promise.all([db.close(), outside.close()]);
      await proxy.close();
    });

    const count = (where: string): Promise<unknown> =>
      outside.queryValue(`SELECT COUNT(*) FROM ${table} WHERE ${where}`);
    /** A connection whose line is cut before anything was done with it. */
    const acquireAndCut = async (): Promise<Connection> => {
      const connection = await db.acquire();
      const { lostConnections } = db.pool.stats();
      proxy.resetAll();
      await expect.poll(() => db.pool.stats().lostConnections).toBe(lostConnections + 1);
      return connection;
    };

    test('a statement, and all that follow it stay on the session it found', async () => {
      await using connection = await acquireAndCut();
      const id = await idOf(connection);
      expect(await idOf(connection)).toBe(id);
      expect(db.pool.stats()).toMatchObject({ lent: 1, size: 1 });
      expect(db.pool.holders()[0]?.stack).toContain('first-statement.test.ts');
    });

    test('a transaction by hand', async () => {
      await using connection = await acquireAndCut();
      await connection.begin();
      await connection.execute(`INSERT INTO ${table} VALUES (1)`);
      await connection.commit();
      expect(await count('id = 1')).toBe(1);
    });

    test('statements that were asked for together keep their order', async () => {
      await using connection = await acquireAndCut();
      const done: number[] = [];
      await Promise.all(
        [2, 3, 4].map(async (id) => {
          await connection.execute(`INSERT INTO ${table} VALUES (?)`, [id]);
          done.push(id);
        }),
      );
      expect(done).toEqual([2, 3, 4]);
    });

    test('the second one is not repeated: the session had something of its own by then', async () => {
      await using connection = await db.acquire();
      await idOf(connection);
      proxy.resetAll();
      await expect(idOf(connection)).rejects.toMatchObject({ kind: 'connection' });
    });

    test('nor is any one after the raw session was looked at', async () => {
      await using connection = await acquireAndCut().then((lent) => {
        expect(lent.raw).toBeDefined();
        return lent;
      });
      await expect(idOf(connection)).rejects.toMatchObject({ code: 'DAL_CONNECTION_LOST' });
    });

    test('a write whose outcome is unknown is not repeated', async () => {
      // The session has its limit by now, so that the line is cut under the write.
      await idOf(db);
      await using connection = await db.acquire();
      proxy.set({ cut: 'down', afterBytes: 1, how: 'reset' });
      await expect(connection.execute(`INSERT INTO ${table} VALUES (9)`)).rejects.toMatchObject({
        fault: { applied: 'unknown' },
      });
      expect(await count('id = 9')).toBe(1);
    });

    test('given back between two attempts, it is not used again', async () => {
      const connection = await acquireAndCut();
      const asked = idOf(connection).catch((error: unknown) => error);
      // The first attempt has failed by then, and the pause before the second one has begun.
      await new Promise(setImmediate);
      await connection.release();
      await expect(idOf(connection)).rejects.toMatchObject({ code: 'DAL_USE_AFTER_RELEASE' });
      await expect(connection.release()).rejects.toMatchObject({ kind: 'usage' });
      expect(await asked).toMatchObject({ code: 'DAL_USE_AFTER_RELEASE' });
      await expect.poll(() => db.pool.stats().lent).toBe(0);
    });

    test('a statement that comes while there is no session waits for the first one', async () => {
      await using connection = await acquireAndCut();
      await proxy.down();
      const first = idOf(connection);
      await expect.poll(() => db.pool.stats().lent).toBe(0);
      const second = idOf(connection);
      await proxy.up();
      expect(await second).toBe(await first);
    });

    test('given back while there is no session, it takes none', async () => {
      const connection = await acquireAndCut();
      await proxy.down();
      const asked = idOf(connection).catch((error: unknown) => error);
      await expect.poll(() => db.pool.stats().lent).toBe(0);
      await connection.release();
      await proxy.up();
      expect(await asked).toMatchObject({ code: 'DAL_USE_AFTER_RELEASE' });
      await expect.poll(() => db.pool.stats().lent).toBe(0);
      expect(await idOf(db)).toBeDefined();
    });
  },
);
