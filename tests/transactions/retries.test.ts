import { type Database, type HookEvents, type Transaction } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

const killing: Readonly<Record<string, readonly [id: string, kill: (id: unknown) => string]>> = {
  postgres: ['SELECT pg_backend_pid()', (id) => `SELECT pg_terminate_backend(${String(id)})`],
  mysql: ['SELECT CONNECTION_ID()', (id) => `KILL ${String(id)}`],
  mariadb: ['SELECT CONNECTION_ID()', (id) => `KILL ${String(id)}`],
};

describe.each(inject('engines').filter(({ name }) => name !== 'sqlite'))(
  '$name',
  ({ name, url }) => {
    const table = `retried_${name}`;
    const [idText, kill] = killing[name] as (typeof killing)[string];
    let admin: Database;
    let db: Database;

    beforeAll(async () => {
      admin = await createDatabase(url, { name: 'admin' });
      db = await createDatabase(url, { pool: { max: 2 }, retry: { baseDelayMs: 5 } });
      await admin.execute(`DROP TABLE IF EXISTS ${table}`);
      await admin.execute(`CREATE TABLE ${table} (id ${admin.dialect.types.integer} NOT NULL)`);
    });
    afterAll(async () => {
      await admin.execute(`DROP TABLE ${table}`);
      await Promise.all([admin.close(), db.close()]);
    });

    const killOwn = async (tx: Transaction): Promise<void> => {
      await admin.query(kill(await tx.queryValue(idText)));
    };
    const count = async (): Promise<number> =>
      Number(await admin.queryValue(`SELECT COUNT(*) FROM ${table}`));

    test('a session that dies before COMMIT took nothing with it, so the callback may run again', async () => {
      const events: HookEvents['retry'][] = [];
      const forget = db.hooks.on('retry', (event) => events.push(event));
      let runs = 0;
      const answer = await db.transaction(
        async (tx) => {
          runs++;
          await tx.execute(`INSERT INTO ${table} VALUES (1)`);
          if (runs < 3) await killOwn(tx);
          await tx.execute(`INSERT INTO ${table} VALUES (2)`);
          return runs;
        },
        { retries: 5 },
      );
      forget();
      expect([answer, runs, await count()]).toEqual([3, 3, 2]);
      expect(events.map(({ attempt, statement }) => [attempt, statement])).toEqual([
        [1, undefined],
        [2, undefined],
      ]);
    });

    test('the last error carries the attempts before it', async () => {
      const before = await count();
      const outcome = db.transaction(
        async (tx) => {
          await tx.execute(`INSERT INTO ${table} VALUES (3)`);
          await killOwn(tx);
          await tx.query('SELECT 1');
        },
        { retries: 2 },
      );
      const error = await outcome.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        name: 'ConnectionError',
        fault: { applied: 'no' },
        attempts: [{ name: 'ConnectionError' }, { name: 'ConnectionError' }],
      });
      expect(await count()).toBe(before);
    });

    test('an error of the user around the layer’s own is retried, and comes out as it is', async () => {
      let runs = 0;
      const mine = new Error('mine');
      const outcome = db.transaction(
        async (tx) => {
          runs++;
          await killOwn(tx);
          await tx.query('SELECT 1').catch((error: unknown) => {
            mine.cause = error;
            throw mine;
          });
        },
        { retries: 1 },
      );
      await expect(outcome).rejects.toBe(mine);
      expect(runs).toBe(2);
    });

    test('an error of something else is not retried', async () => {
      let runs = 0;
      const outcome = db.transaction(
        async (tx) => {
          runs++;
          await tx.query('SELECT 1');
          throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
        },
        { retries: 3 },
      );
      await expect(outcome).rejects.toThrow('ECONNREFUSED');
      expect(runs).toBe(1);
    });

    test.skipIf(name === 'postgres')(
      'what the server committed in the middle is not run again',
      async () => {
        const lost = await db
          .transaction(async (tx) => {
            await killOwn(tx);
            await tx.query('SELECT 1');
          })
          .catch((error: unknown) => error);
        const before = await count();
        const outcome = db.transaction(
          async (tx) => {
            await tx.execute(`INSERT INTO ${table} VALUES (4)`);
            await tx.execute(`ALTER TABLE ${table} COMMENT 'changed'`);
            throw lost;
          },
          { retries: 3 },
        );
        await expect(outcome).rejects.toBe(lost);
        expect(await count()).toBe(before + 1);
      },
    );

    test('a transaction on a connection is not retried when the connection is lost', async () => {
      let runs = 0;
      await db.connection(async (connection) => {
        const outcome = connection.transaction(
          async (tx) => {
            runs++;
            await killOwn(tx);
            await tx.query('SELECT 1');
          },
          { retries: 3 },
        );
        await expect(outcome).rejects.toMatchObject({ name: 'ConnectionError' });
      });
      expect(runs).toBe(1);
    });
  },
);
