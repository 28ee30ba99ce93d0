import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadBatch } from '@dal/core';
import { describe, expect, test, vi } from 'vitest';
import { sqliteDriver } from '../src/index.ts';
import { connect, failure, run, type SqliteSession } from './sessions.ts';

const target = { table: ['main', 't'], columns: ['n', 'word'] };

describe.each(['inline', 'process'] as const)('%s', (runsIn) => {
  async function withTable(): Promise<SqliteSession> {
    const session = await connect({ runsIn });
    await run(session, 'CREATE TABLE t (n INTEGER PRIMARY KEY, word TEXT)');
    await run(session, 'BEGIN IMMEDIATE');
    return session;
  }

  const many = (session: SqliteSession, rows: readonly (readonly unknown[])[]) =>
    session.queryMany?.({ text: 'INSERT INTO t VALUES (?, ?)' }, rows) ??
    Promise.reject(new Error('The driver has no queryMany.'));
  const load = (session: SqliteSession, batches: AsyncIterable<LoadBatch>) =>
    session.load?.(target, batches) ?? Promise.reject(new Error('The driver has no load.'));
  const count = async (session: SqliteSession): Promise<unknown> =>
    (await run(session, 'SELECT count(*) AS n, count(DISTINCT word) AS words FROM t')).rows[0];

  test('one statement for many rows adds up what they changed', async () => {
    const session = await withTable();
    const rows = Array.from({ length: 12_345 }, (_, n) => [n, `word ${n}`]);
    expect(await many(session, rows)).toMatchObject({ affectedRows: 12_345, rows: [] });
    expect(await count(session)).toEqual({ n: 12_345, words: 12_345 });
    const changed = await session.queryMany?.({ text: 'DELETE FROM t WHERE n < ? AND n >= ?' }, [
      [10, 0],
      [10, 0],
      [100, 90],
    ]);
    expect(changed?.affectedRows).toBe(20);
    expect(await many(session, [])).toMatchObject({ affectedRows: 0 });
  });

  test('the first error ends it, and the transaction can be rolled back', async () => {
    const session = await withTable();
    const rows = Array.from({ length: 20_000 }, (_, n) => [n === 15_000 ? 7 : n, 'x']);
    const error = await failure(many(session, rows));
    expect(sqliteDriver.classify(error)).toMatchObject({ kind: 'unique', transaction: 'open' });
    expect(await count(session)).toEqual({ n: 15_000, words: 1 });
    await run(session, 'ROLLBACK');
    expect(await count(session)).toEqual({ n: 0, words: 0 });
  });

  test('a value that SQLite can’t hold ends it, and the session goes on', async () => {
    const session = await withTable();
    const rows = Array.from({ length: 20_000 }, (_, n) => [n, n === 15_000 ? Number.NaN : 'x']);
    expect((await failure(many(session, rows)))?.message).toMatch(/Value 2 .*NaN/);
    await run(session, 'ROLLBACK');
    expect(await count(session)).toEqual({ n: 0, words: 0 });
    expect(session.status?.()).toBe('idle');
  });

  test('RETURNING in it counts and returns nothing', async () => {
    const session = await withTable();
    const text = 'INSERT INTO t VALUES (?, ?) RETURNING n';
    const rows = [
      [1, 'a'],
      [2, 'b'],
    ];
    expect(await session.queryMany?.({ text }, rows)).toMatchObject({ affectedRows: 2, rows: [] });
  });

  test('a load takes batches of any size, with every value as it is', async () => {
    const session = await withTable();
    async function* batches(): AsyncGenerator<LoadBatch> {
      for (const size of [1, 99, 0, 100, 101, 250, 7]) {
        await Promise.resolve();
        yield Array.from({ length: size }, () => [next++, next % 3 === 0 ? null : `w ${next}`]);
      }
    }
    let next = 0;
    expect(await load(session, batches())).toBe(558);
    const { rows } = await run(session, 'SELECT * FROM t ORDER BY n');
    expect(rows).toHaveLength(558);
    expect(rows.slice(0, 3)).toEqual([
      { n: 0, word: 'w 1' },
      { n: 1, word: 'w 2' },
      { n: 2, word: null },
    ]);
  });

  test('a row too short is refused, though the next one is too long', async () => {
    const session = await withTable();
    async function* batches(): AsyncGenerator<LoadBatch> {
      await Promise.resolve();
      yield [[1], ['a', 2, 'b']];
    }
    expect(await failure(load(session, batches()))).toMatchObject({ kind: 'usage' });
    await run(session, 'ROLLBACK');
    expect(await count(session)).toEqual({ n: 0, words: 0 });
  });

  test('an error in the middle of a load, its own or the source’s, leaves nothing', async () => {
    for (const how of ['double', 'source']) {
      const session = await withTable();
      async function* batches(): AsyncGenerator<LoadBatch> {
        for (let at = 0; at < 10; at++) {
          await Promise.resolve();
          if (at === 6 && how === 'source') throw new Error('no more');
          yield Array.from({ length: 1_000 }, (_, n) => [at === 6 ? 5 : at * 1_000 + n, 'x']);
        }
      }
      const error = await failure(load(session, batches()));
      if (how === 'source') expect(error?.message).toBe('no more');
      else expect(sqliteDriver.classify(error)).toMatchObject({ kind: 'unique' });
      await run(session, 'ROLLBACK');
      expect(await count(session)).toEqual({ n: 0, words: 0 });
    }
  });
});

test.runIf(process.platform !== 'win32')(
  'the source is asked for no more than is on its way',
  async () => {
    const session = await connect();
    await run(session, 'CREATE TABLE t (n INTEGER PRIMARY KEY, word TEXT)');
    await run(session, 'BEGIN IMMEDIATE');
    let asked = 0;
    async function* batches(): AsyncGenerator<LoadBatch> {
      for (; asked < 30; asked++) {
        await sleep(0);
        if (asked === 10) process.kill(session.raw.pid, 'SIGSTOP');
        yield Array.from({ length: 5_000 }, (_, n) => [asked * 5_000 + n, 'y'.repeat(50)]);
      }
    }
    const loading = session.load?.(target, batches());
    await vi.waitFor(() => expect(asked).toBe(10), 10_000);
    await sleep(500);
    // One is being written while the session would work on the one before.
    expect(asked).toBeLessThanOrEqual(11);
    process.kill(session.raw.pid, 'SIGCONT');
    expect(await loading).toBe(150_000);
    expect(asked).toBe(30);
  },
);
