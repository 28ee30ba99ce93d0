import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, RowStream } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { describe, expect, inject, test } from 'vitest';
import { manyRows } from './many-rows.ts';

const engines = inject('engines');
/** Rows of which each takes the server a while; the session must survive their end. */
const slow: Readonly<Record<string, string>> = {
  postgres: 'SELECT i, pg_sleep(0.1) FROM generate_series(1, 600) i',
  mysql: `SELECT n.id, SLEEP(0.1) FROM (${manyRows(600)}) n`,
  mariadb: `SELECT n.id, SLEEP(0.1) FROM (${manyRows(600)}) n`,
};
const session: Readonly<Record<string, string>> = {
  postgres: 'SELECT pg_backend_pid()',
  mysql: 'SELECT CONNECTION_ID()',
  mariadb: 'SELECT CONNECTION_ID()',
};

async function drain(stream: AsyncIterable<unknown[]>): Promise<number> {
  let rows = 0;
  for await (const batch of stream) rows += batch.length;
  return rows;
}

describe.each(engines)('$name', ({ name, url }) => {
  const open = (options: Record<string, unknown> = {}): Promise<Database> =>
    createDatabase(url, { shared: false, pool: { max: 1 }, ...options });
  const text = manyRows(5_000);

  test('nothing is sent or lent before the loop begins, nor by a wrong call', async () => {
    await using db = await open();
    const stream = db.stream('SELECT * FROM dal_no_such_table');
    stream.rows();
    await db.connection((connection) => Promise.resolve(connection.stream('SELECT 1')));
    expect(() => db.stream(text, [], { batchSize: 0 })).toThrow(/batchSize/);
    expect(() => db.stream('SELECT ?')).toThrow(/1 "\?"/);
    await sleep(20);
    expect(db.pool.stats()).toMatchObject({ lent: 0, acquired: 1 });
  });

  test('a stream is read once, as batches or as rows', async () => {
    await using db = await open();
    const used = async (stream: RowStream<unknown>): Promise<void> => {
      await expect(drain(stream)).rejects.toMatchObject({ code: 'DAL_STREAM_USED' });
    };
    const batches = db.stream(text);
    expect(await drain(batches)).toBe(5_000);
    await used(batches);
    const rows = db.stream(text, [], { batchSize: 777 });
    let count = 0;
    for await (const row of rows.rows()) if (row['id'] !== undefined) count++;
    expect(count).toBe(5_000);
    await used(rows);
  });

  test('rows() keeps its order for those who ask ahead', async () => {
    await using db = await open();
    const numbers = `SELECT id FROM (${text}) n ORDER BY id`;
    const stream = db.stream<{ id: number }>(numbers, [], { batchSize: 7 }).rows();
    const rows = stream[Symbol.asyncIterator]();
    const steps = await Promise.all(Array.from({ length: 30 }, () => rows.next()));
    expect(steps.map(({ value }) => (value as { id: number }).id)).toEqual(
      Array.from({ length: 30 }, (_, index) => index),
    );
    await rows.return?.();
    expect(db.pool.stats().lent).toBe(0);
  });

  test.runIf(name in slow)(
    'a deadline stops it on the server, and the session lives on',
    async () => {
      await using db = await open();
      const id = await db.queryValue(session[name] as string);
      for (const whole of [true, false]) {
        const startedAt = performance.now();
        // Many rows in a batch: the server would be at it for a minute.
        const stream = whole
          ? db.stream(slow[name] as string, [], { timeoutMs: 300 })
          : (await open({ statementTimeoutMs: 300 })).stream(slow[name] as string);
        await expect(drain(stream)).rejects.toMatchObject({ kind: 'statementTimeout' });
        expect(performance.now() - startedAt).toBeLessThan(1_500);
      }
      expect(await db.queryValue(session[name] as string)).toBe(id);
      expect(db.pool.stats()).toMatchObject({ created: 1, lent: 0, statementTimeouts: 1 });
    },
  );

  test('time and signal free the session while the loop is in its body', async () => {
    await using db = await open();
    await db.connect();
    for (const how of ['time', 'signal']) {
      const aborter = new AbortController();
      const { signal } = aborter;
      const options = how === 'time' ? { timeoutMs: 200 } : { signal };
      let seen = 0;
      const loop = async (): Promise<void> => {
        for await (const _ of db.stream(text, [], { batchSize: 10, ...options })) {
          seen++;
          if (how === 'signal') aborter.abort();
          // The only connection is free again although this body still runs.
          expect(await db.queryValue('SELECT 7', [], { timeoutMs: 3_000 })).toBe(7);
        }
      };
      await expect(loop()).rejects.toMatchObject({
        kind: how === 'time' ? 'statementTimeout' : 'cancelled',
      });
      expect(seen).toBe(1);
      expect(db.pool.stats().lent).toBe(0);
    }
    expect(db.pool.stats().created).toBe(1);
  });

  test('a transaction ends although a stream of it is open', async () => {
    await using db = await open();
    let late: AsyncIterator<unknown[]> | undefined;
    let unread: RowStream<unknown> | undefined;
    const answer = await db.transaction(async (tx) => {
      late = tx.stream(text, [], { batchSize: 10 })[Symbol.asyncIterator]();
      await late.next();
      unread = tx.stream(text);
      return 'done';
    });
    expect(answer).toBe('done');
    await expect(late?.next()).rejects.toMatchObject({ kind: 'usage' });
    await expect(drain(unread as RowStream<unknown>)).rejects.toMatchObject({ kind: 'usage' });
    expect(db.pool.stats()).toMatchObject({ created: 1, lent: 0 });

    const connection = await db.acquire();
    const cut = connection.stream(text, [], { batchSize: 10 })[Symbol.asyncIterator]();
    await cut.next();
    await connection.release();
    await expect(cut.next()).rejects.toMatchObject({ kind: 'usage' });
    expect(await db.queryValue('SELECT 1')).toBe(1);
    expect(db.pool.stats()).toMatchObject({ created: 1, lent: 0 });
  });

  test('a statement in the body of its own stream gives up by its deadline', async () => {
    await using db = await open();
    await db.transaction(async (tx) => {
      for await (const _ of tx.stream(text, [], { batchSize: 10 })) {
        await expect(tx.query('SELECT 1', [], { timeoutMs: 100 })).rejects.toMatchObject({
          kind: 'statementTimeout',
          message: expect.stringMatching(/wait for others|never sent/),
        });
        break;
      }
      expect(await tx.queryValue('SELECT 1')).toBe(1);
    });
  });

  test('hooks hear of a stream', async () => {
    await using db = await open();
    const heard: unknown[] = [];
    db.hooks.on('query:after', ({ statement, rowCount }) => heard.push([statement, rowCount]));
    db.hooks.on('query:error', ({ error }) => heard.push(error.kind));
    await drain(db.stream(text));
    for await (const _ of db.stream(text, [], { batchSize: 10 })) break;
    await expect(drain(db.stream('SELECT * FROM dal_no_such_table'))).rejects.toMatchObject({
      kind: 'schema',
    });
    expect(heard).toEqual([[text, 5_000], [text, expect.any(Number)], 'schema']);
  });
});

// One wait for all engines.
const onEach = (check: (url: string) => Promise<void>): Promise<void[]> =>
  Promise.all(engines.map(({ url }) => check(url)));

test('a slow reader is not stuck, and no leak while it moves', { timeout: 30_000 }, () =>
  onEach(async (url) => {
    const pool = { max: 1, leakThresholdMs: 1_200 };
    await using db = await createDatabase(url, { statementTimeoutMs: 250, pool });
    await db.connect();
    let turns = 0;
    for await (const _ of db.stream(manyRows(100), [], { batchSize: 10 })) {
      await sleep(400);
      expect(db.pool.leaks()).toEqual([]);
      if (++turns < 4) continue;
      await sleep(1_000);
      expect(db.pool.leaks()).toMatchObject([{ lastStatement: manyRows(100).slice(0, 500) }]);
      break;
    }
    expect(turns).toBe(4);
  }),
);

test('the limit of the server does not end a slow reader', { timeout: 30_000 }, () =>
  onEach(async (url) => {
    // The server's own limit lies three seconds behind ours.
    await using db = await createDatabase(url, { statementTimeoutMs: 700, pool: { max: 1 } });
    await db.connect();
    let rows = 0;
    for await (const batch of db.stream(manyRows(10_000), [], { batchSize: 2_000 })) {
      rows += batch.length;
      await sleep(1_000);
    }
    expect(rows).toBe(10_000);
  }),
);
