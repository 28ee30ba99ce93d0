import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy } from '@dal/testing/faults';
import { expect, test } from 'vitest';
import { faultOf, openSession, rowsOf, type Session, url } from './sessions.ts';

const INSERT = 'INSERT INTO many (id, word) VALUES ($1, $2)';

async function inTransaction(options = {}): Promise<Session> {
  const session = await openSession(options);
  await rowsOf(session, 'CREATE TEMP TABLE many (id int PRIMARY KEY, word text)');
  await rowsOf(session, 'BEGIN');
  return session;
}

function rows(count: number, word: unknown = 'word'): unknown[][] {
  return Array.from({ length: count }, (_, index) => [index, word]);
}

test.for([undefined, 'many'])('all rows arrive, in order (name: %s)', async (name) => {
  const session = await inTransaction();
  for (const [round, count] of [1, 999, 1_000, 1_001, 10_000].entries()) {
    const {
      affectedRows,
      command,
      rows: none,
    } = await session.queryMany!({ text: INSERT, name }, rows(count, `ü${round}`));
    expect([affectedRows, command, none]).toEqual([count, 'INSERT', []]);
    expect(await rowsOf(session, 'SELECT count(*), min(id), max(id), min(word) FROM many')).toEqual(
      [[count, 0, count - 1, `ü${round}`]],
    );
    await rowsOf(session, 'TRUNCATE many');
  }
  expect(session.status!()).toBe('transaction');
  await rowsOf(session, 'COMMIT');
});

test('no rows are no statement', async () => {
  const session = await openSession();
  expect(await session.queryMany!({ text: 'no statement at all' }, [])).toEqual({
    rows: [],
    columns: [],
    affectedRows: 0,
  });
});

test('it takes few round trips', async () => {
  await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
  const session = await inTransaction({ host: proxy.host, port: proxy.port });
  proxy.set({ latencyMs: 5 });
  const started = performance.now();
  await session.queryMany!({ text: INSERT }, rows(5_000));
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('large values make smaller flights', async () => {
  const session = await inTransaction();
  const large = 'x'.repeat(1_000_000);
  await session.queryMany!({ text: INSERT }, rows(30, large));
  expect(await rowsOf(session, 'SELECT sum(length(word)) FROM many')).toEqual([[30_000_000]]);
});

test('it ends at the first error, and says in which row', async () => {
  const session = await inTransaction();
  const wrong = rows(3_000);
  wrong[1_500] = [7, 'twice'];
  const error: unknown = await session.queryMany!({ text: INSERT, name: 'w' }, wrong).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: '23505', rowIndex: 1_500 });
  expect(session.status!()).toBe('failed');
  await rowsOf(session, 'ROLLBACK');
  expect(await rowsOf(session, 'SELECT count(*) FROM many')).toEqual([[0]]);
  // The same text goes on working, with its columns.
  await session.queryMany!({ text: `${INSERT} RETURNING id`, name: 'r' }, rows(2));
  const { rows: returned } = await session.query({
    text: `${INSERT} RETURNING id`,
    values: [3, 'x'],
    name: 'r',
  });
  expect(returned).toEqual([{ id: 3 }]);
});

test('a value that has no form is refused, and the session goes on', async () => {
  const session = await inTransaction();
  const wrong = [...rows(10), [11, { no: 'form' }]];
  await expect(session.queryMany!({ text: INSERT }, wrong)).rejects.toThrow(/json/);
  expect(await rowsOf(session, 'SELECT count(*) FROM many')).toEqual([[0]]);
});

test('a cancel ends it, also between two flights', async () => {
  const session = await inTransaction();
  const slow = { text: 'INSERT INTO many SELECT $1::int, pg_sleep(0.001)::text || $2' };
  const running = faultOf(session.queryMany!(slow, rows(60_000)));
  await sleep(30);
  await session.cancel!();
  expect(await running).toMatchObject({ kind: 'cancelled', applied: 'no' });
  await rowsOf(session, 'ROLLBACK');
  expect(await rowsOf(session, 'SELECT count(*) FROM many')).toEqual([[0]]);
});
