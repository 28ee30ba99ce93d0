import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DriverConnection, Fault } from '@dal/core';
import type { Connection } from 'mysql2';
import { afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { mysqlDriver } from '../src/mysql-driver.ts';

type Session = DriverConnection<Connection>;

const engines = inject('engines').filter(({ name }) => name === 'mysql' || name === 'mariadb');

// What a session can do beyond statements: limits, kills, many rows, databases that are missing.
describe.each(engines)('$name', ({ name, url }) => {
  const isMariadb = name === 'mariadb';
  const table = `dal_powers_${process.pid}`;
  const opened: Session[] = [];
  const children: ChildProcess[] = [];

  async function open(options: object = {}): Promise<Session> {
    const checked = mysqlDriver.configure!({ url, ...options });
    const session = await mysqlDriver.connect(checked, () => undefined);
    opened.push(session);
    return session;
  }

  const run = (session: Session, text: string, ...values: unknown[]) =>
    session.query({ text, values });

  async function count(session: Session, where = '1 = 1'): Promise<number> {
    const { rows } = await run(session, `SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`);
    return (rows[0] as { n: number }).n;
  }

  const isListed = async (watcher: Session, id: string): Promise<boolean> =>
    (await run(watcher, 'SELECT id FROM information_schema.processlist WHERE id = ?', id)).rows
      .length > 0;
  const isBusy = async (watcher: Session, id: string): Promise<boolean> =>
    (
      await run(
        watcher,
        "SELECT id FROM information_schema.processlist WHERE id = ? AND command <> 'Sleep'",
        id,
      )
    ).rows.length > 0;

  beforeAll(async () => {
    const session = await open();
    await run(session, `DROP TABLE IF EXISTS ${table}`);
    await run(session, `CREATE TABLE ${table} (id INT PRIMARY KEY, word TEXT)`);
    return async () => {
      await run(await open(), `DROP TABLE ${table}`);
      await Promise.all(opened.splice(0).map((some) => some.close()));
    };
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(opened.splice(0).map((session) => session.close()));
    const session = await open();
    await run(session, `DELETE FROM ${table}`);
  });

  describe('the limit of the server', () => {
    /** Starts a client on a heavy statement and freezes it. */
    async function frozen(limitMs: number): Promise<{ child: ChildProcess; id: string }> {
      const child = fork(join(import.meta.dirname, 'frozen-client.ts'), [url, String(limitMs)], {
        execArgv: ['--conditions=@dal/source'],
      });
      children.push(child);
      const [{ id }] = (await once(child, 'message')) as [{ id: string }];
      const watcher = await open();
      await expect.poll(() => isBusy(watcher, id), { timeout: 5_000 }).toBe(true);
      child.kill('SIGSTOP');
      return { child, id };
    }

    test('frees the server from a statement whose client is frozen', async () => {
      const { child, id } = await frozen(700);
      const watcher = await open();
      expect(await isBusy(watcher, id)).toBe(true);
      await expect.poll(() => isBusy(watcher, id), { timeout: 5_000, interval: 50 }).toBe(false);
      // Woken up, the client reads what the server had to say.
      const told = once(child, 'message');
      child.kill('SIGCONT');
      expect((await told)[0]).toEqual({
        fault: {
          kind: 'statementTimeout',
          applied: 'no',
          transaction: 'open',
          code: isMariadb ? '1969' : '3024',
        },
      });
    });

    test('without it the statement runs on', async () => {
      const { id } = await frozen(0);
      const watcher = await open();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(await isBusy(watcher, id)).toBe(true);
      await watcher.kill!(id);
    });

    test('leaves the transaction open, is taken away by 0 and by a reset', async () => {
      const session = await open();
      const limits = async () =>
        (
          await run(
            session,
            `SELECT ${isMariadb ? '@@max_statement_time * 1000' : '@@max_execution_time'} AS ms`,
          )
        ).rows.map((row) => Number((row as { ms: unknown }).ms));
      await session.limit!(100.2);
      expect(await limits()).toEqual([101]);
      await run(session, 'START TRANSACTION');
      await run(session, `INSERT INTO ${table} VALUES (1, 'kept')`);
      const heavy =
        'SELECT COUNT(*) FROM information_schema.COLLATIONS a, information_schema.COLLATIONS b, information_schema.COLLATIONS c, information_schema.COLLATIONS d WHERE a.ID + b.ID + c.ID + d.ID <> ?';
      expect(await faultOf(run(session, heavy, 5))).toMatchObject({ kind: 'statementTimeout' });
      expect(session.status!()).toBe('transaction');
      await run(session, 'COMMIT');
      expect(await count(await open())).toBe(1);
      await session.limit!(0);
      expect(await limits()).toEqual([0]);
      await session.limit!(5_000);
      await session.reset!();
      expect(await limits()).toEqual([0]);
      expect(await faultOf(session.limit!(Number.NaN))).toMatchObject({ kind: 'usage' });
    });

    test.runIf(isMariadb)('stops changes too (MariaDB)', async () => {
      const [holder, session] = [await open(), await open()];
      await run(holder, `INSERT INTO ${table} VALUES (1, 'held')`);
      await run(holder, 'START TRANSACTION');
      await run(holder, `UPDATE ${table} SET word = 'mine'`);
      await session.limit!(150);
      const fault = await faultOf(run(session, `UPDATE ${table} SET word = 'yours'`));
      expect(fault).toMatchObject({ kind: 'statementTimeout', applied: 'no', code: '1969' });
      await run(holder, 'COMMIT');
      expect(await count(holder, "word = 'mine'")).toBe(1);
    });
  });

  describe('kill', () => {
    test('ends a session, its transaction and its locks before it comes back', async () => {
      const [victim, killer, third] = [await open(), await open(), await open()];
      await run(victim, 'START TRANSACTION');
      // Enough that the rollback takes longer than a KILL does.
      const thousand = Array.from({ length: 1_000 }, (_, id) => `(${id}, 'x')`).join();
      await run(victim, `INSERT INTO ${table} VALUES ${thousand}`);
      await run(
        victim,
        `INSERT INTO ${table} SELECT a.id + b.id * 1000, 'x' FROM ${table} a, ${table} b WHERE b.id BETWEEN 1 AND 100`,
      );
      await killer.kill!(victim.id!);
      expect(await isListed(third, victim.id!)).toBe(false);
      expect(await count(third)).toBe(0);
      // The locks are free at once.
      await run(third, `SELECT * FROM ${table} FOR UPDATE NOWAIT`);
      expect(await faultOf(run(victim, 'COMMIT'))).toMatchObject({ connectionLost: true });
    });

    test('ends a busy session; one that is gone is fine; nonsense is not', async () => {
      const [victim, killer] = [await open(), await open()];
      const running = faultOf(run(victim, 'SELECT SLEEP(60)'));
      await killer.kill!(victim.id!);
      expect(await running).toMatchObject({ connectionLost: true, applied: 'unknown' });
      await killer.kill!(victim.id!);
      for (const id of ['1; DROP TABLE x', '', '-1', killer.id!]) {
        expect(await faultOf(killer.kill!(id))).toMatchObject({ kind: 'usage', applied: 'no' });
      }
      expect((await run(killer, 'SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });
  });

  describe('many rows of values', () => {
    const insert = { text: `INSERT INTO ${table} VALUES (?, ?)` };

    test('are prepared once and counted', async () => {
      const session = await open();
      const rows = Array.from({ length: 1_000 }, (_, id) => [id, `word ${id}`]);
      expect(await session.queryMany!(insert, rows)).toMatchObject({ affectedRows: 1_000 });
      expect(await session.queryMany!(insert, [])).toMatchObject({ affectedRows: 0 });
      const { rows: status } = await run(session, "SHOW SESSION STATUS LIKE 'Com_stmt_prepare'");
      expect(Number((status[0] as { Value: string }).Value)).toBeLessThan(5);
      expect(await count(await open())).toBe(1_000);
    });

    test('the first error ends them, and says which row it was', async () => {
      const session = await open();
      await run(session, 'START TRANSACTION');
      const rows = [
        [1, 'a'],
        [2, 'b'],
        [1, 'c'],
        [4, 'd'],
      ];
      const error: unknown = await session.queryMany!(insert, rows).catch((thrown) => thrown);
      expect(mysqlDriver.classify(error)).toMatchObject({ kind: 'unique', transaction: 'open' });
      expect(error).toMatchObject({ rowIndex: 2 });
      expect(session.status!()).toBe('transaction');
      expect(await count(session)).toBe(2);
      const unfit: unknown = await session.queryMany!(insert, [[7, { a: 1 }]]).catch((e) => e);
      expect(unfit).toMatchObject({ rowIndex: 0, code: 'DAL_VALUE' });
      const short: unknown = await session.queryMany!(insert, [[8]]).catch((e) => e);
      expect(short).toMatchObject({ rowIndex: 0, code: 'DAL_VALUE_COUNT' });
      await run(session, 'ROLLBACK');
    });

    test('a cancel ends them wherever they are', async () => {
      const session = await open();
      const rows = Array.from({ length: 200_000 }, (_, id) => [id, 'x']);
      await run(session, 'START TRANSACTION');
      const working = faultOf(session.queryMany!(insert, rows));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await session.cancel!();
      expect(await working).toMatchObject({ kind: 'cancelled', applied: 'no' });
      expect(await count(session)).toBeLessThan(200_000);
      await run(session, 'ROLLBACK');
      expect(await count(await open())).toBe(0);
    });
  });

  test('DDL that fails has committed as well, and the status says so', async () => {
    const session = await open();
    await run(session, 'START TRANSACTION');
    await run(session, `INSERT INTO ${table} VALUES (?, ?)`, 1, 'kept');
    expect(session.status!()).toBe('transaction');
    const fault = await faultOf(run(session, `CREATE TABLE ${table} (id INT)`));
    expect(fault).toMatchObject({ kind: 'schema', applied: 'no' });
    expect(session.status!()).toBe('idle');
    expect(await count(await open())).toBe(1);
  });

  test('a procedure that commits says so, also in a stream', async () => {
    const session = await open();
    await run(session, `DROP PROCEDURE IF EXISTS ${table}_ends`);
    await run(session, `CREATE PROCEDURE ${table}_ends() BEGIN SELECT 1 AS one; COMMIT; END`);
    for (const values of [[], [1]]) {
      const call = { text: `CALL ${table}_ends()`, values: [] };
      await run(session, 'START TRANSACTION');
      await run(session, 'SELECT * FROM information_schema.ENGINES LIMIT 1');
      if (values.length === 0) await session.query(call);
      else for await (const rows of session.stream!(call, 10)) expect(rows).toEqual([{ one: 1 }]);
      expect(session.status!()).toBe('idle');
    }
    await run(session, `DROP PROCEDURE ${table}_ends`);
  });

  test('a missing database is made when that is asked for, with any name', async () => {
    const database = `dal_powers_${process.pid}\`"'x`;
    const admin = await open();
    const drop = `DROP DATABASE IF EXISTS \`${database.replaceAll('`', '``')}\``;
    await run(admin, drop);
    expect(await faultOf(open({ database }))).toMatchObject({ kind: 'schema', code: '1049' });
    const both = await Promise.all([1, 2].map(() => open({ database, createIfMissing: true })));
    for (const session of both) {
      expect((await run(session, 'SELECT DATABASE() AS name')).rows).toEqual([{ name: database }]);
    }
    await open({ database, createIfMissing: true });
    await run(admin, drop);
  });

  test('the driver is found in the module that it names', async () => {
    const { driver } = (await import(mysqlDriver.module!)) as { driver: typeof mysqlDriver };
    expect(driver).toBe(mysqlDriver);
  });
});

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    return mysqlDriver.classify(error);
  }
  throw new Error('Nothing failed.');
}
