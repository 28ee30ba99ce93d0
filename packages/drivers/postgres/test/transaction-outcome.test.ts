import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Server, startServer } from '@dal/testing/servers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openSession, rowsOf, type Session } from './sessions.ts';

let server: Server;

beforeAll(async () => {
  server = await startServer('postgres', {
    own: true,
    settings: { restore_command: 'false', wal_writer_delay: '10s', autovacuum: 'off' },
  });
  const session = await openSession({ url: server.url });
  await rowsOf(session, 'CREATE TABLE ledger (id int)');
});

afterAll(() => server.close());

const own = (): Promise<Session> => openSession({ url: server.url });

/** Begins a transaction that has changed something; answers its id. */
async function begun(session: Session, id = 1): Promise<string> {
  await rowsOf(session, 'BEGIN');
  const { affectedRows, transactionId } = await session.query({
    text: 'INSERT INTO ledger VALUES ($1)',
    values: [id],
    askTransaction: true,
  });
  expect(affectedRows).toBe(1);
  return transactionId ?? expect.fail('no id');
}

test('another session tells what became of a transaction', async () => {
  const [one, other] = [await own(), await own()];
  const committed = await begun(one);
  expect(await other.outcome!(committed)).toBe('running');
  await rowsOf(one, 'COMMIT');
  expect(await other.outcome!(committed)).toBe('committed');
  const rolledBack = await begun(one);
  expect(rolledBack).not.toBe(committed);
  await rowsOf(one, 'ROLLBACK');
  expect(await other.outcome!(rolledBack)).toBe('rolledBack');
  const killed = await begun(one);
  await other.kill!(one.id!);
  expect(await other.outcome!(killed)).toBe('rolledBack');
});

test('the question changes nothing of the statement, and costs no round trip', async () => {
  const session = await own();
  await begun(session);
  const first = await session.query({
    text: 'SELECT $1::int AS n, $2::text AS t',
    values: [7, 'ü'],
    name: 'named',
    askTransaction: true,
  });
  const second = await session.query({
    text: 'SELECT $1::int AS n, $2::text AS t',
    values: [8, null],
    name: 'named',
    askTransaction: true,
  });
  expect([first.rows, second.rows]).toEqual([[{ n: 7, t: 'ü' }], [{ n: 8, t: null }]]);
  expect(first.columns.map(({ name }) => name)).toEqual(['n', 't']);
  expect(first.command).toBe('SELECT');
  expect(second.transactionId).toBe(first.transactionId);
  const { _queryQueue: queue } = session.raw as unknown as { _queryQueue: unknown[] };
  const asked = session.query({ text: 'SELECT 1', values: [], askTransaction: true });
  expect(queue).toEqual([]);
  await asked;
  await rowsOf(session, 'COMMIT');
});

test('an error stays that of the statement', async () => {
  const session = await own();
  const id = await begun(session);
  await expect(
    session.query({ text: 'SELECT 1 / 0', values: [], askTransaction: true }),
  ).rejects.toMatchObject({ code: '22012' });
  expect(session.status!()).toBe('failed');
  await rowsOf(session, 'ROLLBACK');
  expect(await session.outcome!(id)).toBe('rolledBack');
  // Also when it was the first time that the question was on its way.
  const fresh = await own();
  await rowsOf(fresh, 'BEGIN');
  await expect(
    fresh.query({ text: 'SELECT 1 / 0', values: [], askTransaction: true }),
  ).rejects.toMatchObject({ code: '22012' });
  await rowsOf(fresh, 'ROLLBACK');
  expect(await begun(fresh)).not.toBe(id);
});

test('what changed nothing has no id', async () => {
  const session = await own();
  await rowsOf(session, 'BEGIN READ ONLY');
  const { rows, transactionId } = await session.query({
    text: 'SELECT 1 AS one',
    values: [],
    askTransaction: true,
  });
  expect([rows, transactionId]).toEqual([[{ one: 1 }], undefined]);
  await rowsOf(session, 'COMMIT');
});

test('a reset or DEALLOCATE ALL does not hurt the question', async () => {
  const session = await own();
  for (const text of ['DEALLOCATE ALL', 'DISCARD ALL', undefined]) {
    await begun(session);
    await begunAgain(session);
    await rowsOf(session, 'COMMIT');
    if (text === undefined) await session.reset!();
    else await rowsOf(session, text);
  }
  expect(await begun(session)).toMatch(/^\d+\//);
});

async function begunAgain(session: Session): Promise<void> {
  const { transactionId } = await session.query({
    text: 'INSERT INTO ledger VALUES (2)',
    values: [],
    askTransaction: true,
  });
  expect(transactionId).toMatch(/^\d+\//);
}

test('an id that is none of this server is unknown to it', async () => {
  const session = await own();
  const id = await begun(session);
  await rowsOf(session, 'COMMIT');
  const [, timeline, since, number] = id.split('/');
  expect(await session.outcome!(id)).toBe('committed');
  for (const strange of [
    '',
    'x',
    '1/2',
    `${id}0000000000000000000`,
    `7000000000000000000/${timeline}/${since}/${number}`,
    id.replace('/00000001/', '/00000002/'),
  ]) {
    expect([strange, await session.outcome!(strange)]).toEqual([strange, 'unknown']);
  }
});

test('behind a pooler the whole name is asked each time', async () => {
  const session = await openSession({ url: server.url, pooler: 'transaction' });
  const ids = [await begun(session)];
  await rowsOf(session, 'COMMIT');
  ids.push(await begun(session));
  await rowsOf(session, 'COMMIT');
  for (const id of ids) expect(await (await own()).outcome!(id)).toBe('committed');
  expect([session.id, session.kill, session.limit]).toEqual([undefined, undefined, undefined]);
});

describe('after a restart', () => {
  test('in order, everything is known', async () => {
    const session = await own();
    const committed = await begun(session);
    await rowsOf(session, 'COMMIT');
    const open = await begun(session);
    await server.restart();
    const other = await own();
    expect(await other.outcome!(committed)).toBe('committed');
    expect(await other.outcome!(open)).toBe('rolledBack');
  });

  // The server gives numbers again that had not reached the disk.
  test('from a crash, the number of another is never taken for ours', async () => {
    const session = await own();
    const committed = await begun(session);
    await rowsOf(session, 'COMMIT');
    const lost = await begun(session, 4711);
    await server.kill();
    await server.start();
    const other = await own();
    expect(await other.outcome!(lost)).toBe('rolledBack');
    expect(await other.outcome!(committed)).toBe('unknown');
    const numberOf = (id: string): number => Number(id.split('/')[3]);
    for (let reached = 0; reached < numberOf(lost); await rowsOf(other, 'COMMIT')) {
      reached = numberOf(await begun(other));
    }
    expect(await rowsOf(other, 'SELECT * FROM ledger WHERE id = 4711')).toEqual([]);
    expect(
      await rowsOf(other, 'SELECT pg_xact_status($1::xid8)', [String(numberOf(lost))]),
    ).toEqual([['committed']]);
    expect(await other.outcome!(lost)).toBe('unknown');
  });

  test('as another primary, nothing of the old one is known', async ({ skip }) => {
    skip(server.via === 'docker', 'the files of the server are not within reach');
    const session = await own();
    const committed = await begun(session);
    await rowsOf(session, 'COMMIT');
    expect(await session.outcome!(committed)).toBe('committed');
    const [[folder]] = (await rowsOf(session, 'SHOW data_directory')) as [[string]];
    await server.stop();
    // At the end of its WAL it begins a timeline of its own, as a standby does that is promoted.
    await writeFile(join(folder, 'recovery.signal'), '');
    await server.start();
    const promoted = await own();
    await vi.waitFor(async () =>
      expect(await rowsOf(promoted, 'SELECT pg_is_in_recovery()')).toEqual([[false]]),
    );
    expect(await promoted.outcome!(committed)).toBe('unknown');
    expect(await begun(promoted)).toContain('/00000002/');
  });
});
