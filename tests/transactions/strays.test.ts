import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database, Transaction } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';

/**
 * Some ends of a transaction are silent: the server undoes all of it, and whatever comes next would
 * commit by itself. Nothing may come next.
 */
describe.each(inject('engines').filter(({ name }) => name === 'mysql' || name === 'mariadb'))(
  '$name',
  ({ name, url }) => {
    const table = `strays_${name}`;
    let db: Database;

    beforeAll(async () => {
      db = await createDatabase(url, { pool: { max: 4 } });
      await db.execute(`DROP TABLE IF EXISTS ${table}`);
      await db.execute(`CREATE TABLE ${table} (id INT PRIMARY KEY, v INT NOT NULL)`);
    });
    afterAll(async () => {
      await db.execute(`DROP TABLE ${table}`);
      await db.close();
    });

    const touch = (tx: Pick<Transaction, 'execute'>, id: number): Promise<unknown> =>
      tx.execute(`UPDATE ${table} SET v = v + 1 WHERE id = ?`, [id]);
    const insert = (tx: Pick<Transaction, 'execute'>, id: number): Promise<unknown> =>
      tx.execute(`INSERT INTO ${table} VALUES (?, 0)`, [id]);

    /** A deadlock whose victim runs `last`, with row 1 locked and row 2 locked by somebody else. */
    const asVictim = async (
      run: (work: (tx: Pick<Transaction, 'execute'>) => Promise<void>) => Promise<unknown>,
      last: (tx: Pick<Transaction, 'execute'>) => Promise<void>,
    ): Promise<unknown> => {
      await db.execute(`DELETE FROM ${table}`);
      for (const id of [1, 2]) await insert(db, id);
      const bothLocked = Promise.withResolvers<void>();
      const victimLocked = Promise.withResolvers<void>();
      const other = db.transaction(async (tx) => {
        // The one that changed more survives.
        for (let id = 100; id < 120; id++) await insert(tx, id);
        await touch(tx, 2);
        await victimLocked.promise;
        const waiting = touch(tx, 1);
        setTimeout(bothLocked.resolve, 100);
        await waiting;
      });
      const victim = run(async (tx) => {
        await touch(tx, 1);
        victimLocked.resolve();
        await bothLocked.promise;
        await last(tx);
      }).then(
        () => 'committed',
        (error: unknown) => error,
      );
      await other;
      return victim;
    };

    const strays = async (): Promise<number> =>
      Number(await db.queryValue(`SELECT COUNT(*) FROM ${table} WHERE id BETWEEN 10 AND 19`));

    test('statements that wait behind a deadlock are not sent', async () => {
      const outcome = await asVictim(
        (work) => db.transaction(work),
        async (tx) => {
          const all = [touch(tx, 2), insert(tx, 10), insert(tx, 11), insert(tx, 12)];
          const settled = await Promise.allSettled(all);
          expect(settled.map(({ status }) => status)).toEqual(all.map(() => 'rejected'));
          // Swallowed: the callback ends as if nothing had happened.
        },
      );
      expect(outcome).toMatchObject({ code: 'DAL_TRANSACTION_GONE', fault: { applied: 'no' } });
      expect(await strays()).toBe(0);
    });

    test('a transaction begun by hand is over as well, until rollback says that this is known', async () => {
      await using connection = await db.acquire();
      const outcome = await asVictim(
        async (work) => {
          await connection.begin();
          await work(connection);
          await connection.commit();
        },
        async () => {
          await touch(connection, 2).catch(() => undefined);
          await insert(connection, 13).catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'DAL_TRANSACTION_GONE' });
          });
        },
      );
      expect(outcome).toMatchObject({ code: 'DAL_TRANSACTION_GONE' });
      expect(await strays()).toBe(0);
      await connection.rollback();
      await insert(connection, 14);
      expect(await strays()).toBe(1);
    });

    test('a nested transaction ends with the outer one', async () => {
      const outcome = await asVictim(
        (work) => db.transaction(work),
        async (tx) => {
          await (tx as Transaction)
            .transaction(async (nested) => {
              await touch(nested, 2).catch(() => undefined);
              await insert(nested, 15).catch(() => undefined);
            })
            .catch(() => undefined);
          await insert(tx, 16).catch(() => undefined);
        },
      );
      expect(outcome).toMatchObject({ code: 'DAL_TRANSACTION_GONE' });
      expect(await strays()).toBe(0);
    });
  },
);

test('SQLite that has no room left ends the transaction, and nothing comes after it', async () => {
  // A file of its own: others leave free pages behind, in which there would be room.
  const folder = await mkdtemp(join(tmpdir(), 'dal-full-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await using db = await createDatabase(`sqlite:${join(folder, 'full.db')}`, { pool: { max: 1 } });
  await db.execute('CREATE TABLE strays_full (id INTEGER PRIMARY KEY, v TEXT)');
  const outcome = db.connection(async (connection) => {
    const pages = await connection.queryValue<number>('PRAGMA page_count');
    await connection.query(`PRAGMA max_page_count = ${Number(pages) + 20}`);
    await connection.transaction(async (tx) => {
      await tx.execute('INSERT INTO strays_full (v) VALUES (?)', ['first']);
      const big = 'x'.repeat(1_000_000);
      await tx.execute('INSERT INTO strays_full (v) VALUES (?)', [big]).catch(() => undefined);
      await tx.execute('INSERT INTO strays_full (v) VALUES (?)', ['stray']).catch(() => undefined);
    });
  });
  await expect(outcome).rejects.toMatchObject({ fault: { applied: 'no' } });
  expect(Number(await db.queryValue('SELECT COUNT(*) FROM strays_full'))).toBe(0);
});
