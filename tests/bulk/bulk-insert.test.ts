import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';

const COUNT = 100_000;
/** Sums over rows whose every column follows from its number, so that a wrong one shows. */
const sums = 'SELECT COUNT(*), SUM(id), SUM(amount), SUM(CHAR_LENGTH(name)) FROM';

/** What makes the table wait for its lock, and what its owner says afterwards. */
const locks: Readonly<Record<string, readonly [text: string, end: string]>> = {
  postgres: ['LOCK TABLE dal_bulk IN ACCESS EXCLUSIVE MODE', 'ROLLBACK'],
  mysql: ['LOCK TABLES dal_bulk WRITE', 'UNLOCK TABLES'],
  mariadb: ['LOCK TABLES dal_bulk WRITE', 'UNLOCK TABLES'],
};
const busy: Readonly<Record<string, string>> = {
  postgres: `SELECT COUNT(*) FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE '%dal_bulk"%' AND pid <> pg_backend_pid()`,
  mysql: `SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%\`dal_bulk\`%' AND id <> CONNECTION_ID()`,
};

function rowOf(id: number): Record<string, unknown> {
  return { id, name: `n${id % 1_000}\t\\${'é😀'.repeat(id % 3)}`, amount: id % 97 };
}

function* someRows(count: number): Generator<Record<string, unknown>> {
  for (let id = 1; id <= count; id++) yield rowOf(id);
}

function expected(count: number): number[] {
  const all = [0, 0, 0, 0];
  for (const { id, name, amount } of someRows(count)) {
    all[0]! += 1;
    all[1]! += id as number;
    all[2]! += amount as number;
    // The servers count characters, not halves of them.
    all[3]! += Array.from(name as string).length;
  }
  return all;
}

describe.each(inject('engines'))('$name', ({ name, url }) => {
  let db: Database;
  let other: Database;

  const seen = async (): Promise<number[]> => {
    const text = name === 'sqlite' ? sums.replace('CHAR_LENGTH', 'LENGTH') : sums;
    const options = { rowMode: 'array' } as const;
    const [row = []] = await other.query<unknown[]>(`${text} dal_bulk`, [], options);
    return row.map(Number);
  };

  beforeAll(async () => {
    db = await createDatabase(url, { pool: { max: 1 } });
    other = await createDatabase(url, { pool: { max: 2 } });
    await other.execute('DROP TABLE IF EXISTS dal_bulk');
    const type = /mysql|mariadb/.test(name) ? 'VARCHAR(100)' : 'TEXT';
    await other.execute(
      `CREATE TABLE dal_bulk (id INTEGER NOT NULL PRIMARY KEY, name ${type}, amount INTEGER)`,
    );
  });
  beforeEach(async () => {
    await other.execute('DELETE FROM dal_bulk');
  });
  afterAll(async () => {
    await other.execute('DROP TABLE IF EXISTS dal_bulk');
    await Promise.all([db.close(), other.close()]);
  });

  test(`${COUNT} rows: another session counts and sums the same`, async () => {
    const source = (async function* () {
      yield* someRows(COUNT);
    })();
    const startedAt = performance.now();
    expect(await db.bulkInsert('dal_bulk', source)).toEqual({ affectedRows: COUNT });
    console.log(`${name}: ${COUNT} rows in ${Math.round(performance.now() - startedAt)} ms`);
    expect(await seen()).toEqual(expected(COUNT));
  });

  test('an abort in the middle leaves 0, and the session lives on', async () => {
    const aborter = new AbortController();
    let given = 0;
    const source = (async function* () {
      for (const row of someRows(COUNT)) {
        yield row;
        if (++given === 30_000) {
          await sleep(20);
          aborter.abort();
        }
      }
    })();
    const { created } = db.pool.stats();
    await expect(
      db.bulkInsert('dal_bulk', source, { signal: aborter.signal }),
    ).rejects.toMatchObject({ kind: 'cancelled' });
    expect((await seen())[0]).toBe(0);
    expect(given).toBeLessThan(COUNT);
    expect(await db.bulkInsert('dal_bulk', someRows(10))).toEqual({ affectedRows: 10 });
    expect(db.pool.stats().lent).toBe(0);
    // SQLite can't be asked to stop: its session ends instead.
    if (name !== 'sqlite') expect(db.pool.stats().created).toBe(created);
  });

  test.runIf(name in locks)('a lock: the deadline ends the load on the server too', async () => {
    const [lock, end] = locks[name] as readonly [string, string];
    const impatient = await createDatabase(url, { statementTimeoutMs: 400, pool: { max: 1 } });
    await impatient.connect();
    const holder = await other.acquire();
    try {
      if (name === 'postgres') await holder.execute('BEGIN');
      await holder.execute(lock);
      for (const [on, options] of [
        [db, { timeoutMs: 300 }],
        // Without a time of its own the server has the statement's for each step.
        [impatient, {}],
      ] as const) {
        const startedAt = performance.now();
        await expect(on.bulkInsert('dal_bulk', someRows(5_000), options)).rejects.toMatchObject({
          kind: 'statementTimeout',
        });
        expect(performance.now() - startedAt).toBeLessThan(1_500);
        const text = busy[name === 'mariadb' ? 'mysql' : name] as string;
        await expect.poll(async () => Number(await other.queryValue(text))).toBe(0);
      }
    } finally {
      await holder.execute(end);
      await holder.release();
    }
    expect((await seen())[0]).toBe(0);
    expect(await impatient.bulkInsert('dal_bulk', someRows(10))).toEqual({ affectedRows: 10 });
    await impatient.close();
  });

  test.runIf(name in locks)('the time of executeMany is for all of its rows', async () => {
    await db.bulkInsert('dal_bulk', someRows(200));
    const { created } = db.pool.stats();
    const sleep50 = name === 'postgres' ? "pg_sleep(0.05)::text = ''" : 'SLEEP(0.05) = 0';
    const text = `UPDATE dal_bulk SET amount = -1 WHERE id = ? AND ${sleep50}`;
    const rows = Array.from({ length: 200 }, (_, index) => [index + 1]);
    const startedAt = performance.now();
    await expect(db.executeMany(text, rows, { timeoutMs: 400 })).rejects.toMatchObject({
      kind: 'statementTimeout',
    });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    const changed = 'SELECT COUNT(*) FROM dal_bulk WHERE amount = -1';
    expect(Number(await other.queryValue(changed))).toBe(0);
    expect(await db.queryValue('SELECT 1')).toBe(1);
    expect(db.pool.stats()).toMatchObject({ lent: 0, created });
  });

  test('an error names its row, where the engine tells', async () => {
    const rows = Array.from({ length: 1_500 }, (_, id) => [id]);
    rows[1_200] = [7];
    const insert = db.executeMany('INSERT INTO dal_bulk (id) VALUES (?)', rows);
    const row = name === 'sqlite' ? /exists already/ : /^In row 1201: /;
    await expect(insert).rejects.toMatchObject({ kind: 'unique', message: expect.stringMatching(row) }); // prettier-ignore
    expect((await seen())[0]).toBe(0);
  });

  test('a slow source is not a slow server', async () => {
    const patient = await createDatabase(url, { statementTimeoutMs: 300, pool: { max: 1 } });
    await patient.connect();
    const source = (async function* () {
      for (let id = 1; id <= 3; id++) {
        await sleep(450);
        yield rowOf(id);
      }
    })();
    expect(await patient.bulkInsert('dal_bulk', source)).toEqual({ affectedRows: 3 });
    expect(await seen()).toEqual(expected(3));
    await patient.close();
  });

  test('listeners of a signal and timers go with the call', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (
      listeners--,
      remove(...args)
    );
    await db.bulkInsert('dal_bulk', someRows(2_000), { signal, timeoutMs: 20_000 });
    await db.executeMany('UPDATE dal_bulk SET amount = ? WHERE id = ?', [[1, 1], [2, 2]], { signal }); // prettier-ignore
    await expect(db.bulkInsert('dal_bulk', someRows(1), { signal })).rejects.toMatchObject({
      kind: 'unique',
    });
    expect(listeners).toBe(0);
  });

  test('hooks hear of one call', async () => {
    const heard: unknown[] = [];
    const off = db.hooks.on('query:after', ({ statement, affectedRows }) =>
      heard.push([statement, affectedRows]),
    );
    await db.bulkInsert('dal_bulk', someRows(3));
    await db.executeMany('DELETE FROM dal_bulk WHERE id = ?', [[1], [2], [3], [4]]);
    off();
    expect(heard).toEqual([
      ['bulkInsert into dal_bulk', 3],
      ['DELETE FROM dal_bulk WHERE id = ?', 3],
    ]);
  });
});
