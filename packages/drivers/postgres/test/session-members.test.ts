import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy } from '@dal/testing/faults';
import { startServer } from '@dal/testing/servers';
import { describe, expect, test, vi } from 'vitest';
import { postgres, postgresDriver } from '../src/index.ts';
import { faultOf, openSession, rowsOf, type Session, url } from './sessions.ts';

describe('the limit of the server', () => {
  test('stops a statement, and is seen as a timeout', async () => {
    const session = await openSession();
    await session.limit!(50.5);
    expect(await rowsOf(session, 'SHOW statement_timeout')).toEqual([['51ms']]);
    expect(await faultOf(rowsOf(session, 'SELECT pg_sleep(30)'))).toMatchObject({
      kind: 'statementTimeout',
      applied: 'no',
      code: '57014',
    });
    await session.limit!(0);
    expect(await rowsOf(session, 'SELECT pg_sleep(0.1), 1')).toEqual([['', 1]]);
    await session.limit!(Infinity);
    expect(await rowsOf(session, 'SHOW statement_timeout')).toEqual([['2147483647ms']]);
    await session.reset!();
    expect(await rowsOf(session, 'SHOW statement_timeout')).toEqual([['0']]);
  });
});

describe('another session', () => {
  test('is ended by its id, and has undone its work by then', async () => {
    const [one, other] = [await openSession(), await openSession()];
    expect(await rowsOf(one, 'SELECT pg_backend_pid()')).toEqual([[Number(one.id)]]);
    await rowsOf(one, 'CREATE TABLE dal_pg_killed (id int)');
    await rowsOf(one, 'BEGIN');
    await rowsOf(one, 'LOCK TABLE dal_pg_killed');
    const busy = faultOf(rowsOf(one, 'SELECT pg_sleep(30)'));
    await sleep(20);
    await other.kill!(one.id!);
    expect(await rowsOf(other, 'SELECT * FROM pg_stat_activity WHERE pid = $1', [one.id])).toEqual(
      [],
    );
    expect(await rowsOf(other, 'DROP TABLE dal_pg_killed')).toEqual([]);
    // It had begun, and no answer came.
    expect(await busy).toMatchObject({ connectionLost: true, applied: 'unknown', code: '57P01' });
    await other.kill!(one.id!);
  });

  test('is not ended by what is no id', async () => {
    const session = await openSession();
    for (const id of ['', '1; DROP', '-1', '99999999999']) {
      await expect(session.kill!(id)).rejects.toThrow(/number of its process/);
    }
    expect(await faultOf(session.kill!('4000000000'))).toMatchObject({ kind: 'data' });
  });
});

describe('a session that ends', () => {
  /** A statement that is under way to a server which has just ended the session. */
  async function cross(text: string, options = {}): Promise<unknown> {
    const killer = await openSession();
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    const session = await openSession({ ...options, host: proxy.host, port: proxy.port });
    const [[pid]] = (await rowsOf(session, 'SELECT pg_backend_pid()')) as [[number]];
    proxy.set('stall-up');
    const before = proxy.counts.bytesUp;
    const crossing = faultOf(rowsOf(session, text));
    await vi.waitFor(() => expect(proxy.counts.bytesUp).toBeGreaterThan(before));
    await killer.kill!(String(pid));
    return await crossing;
  }

  test('before it has begun with the statement has done nothing of it', async () => {
    expect(await cross('SELECT 1')).toMatchObject({
      kind: 'connection',
      connectionLost: true,
      applied: 'no',
      code: '57P01',
    });
  });

  test('may have a pooler in front of it, whose answers prove nothing', async () => {
    expect(await cross('SELECT 1', { pooler: 'transaction' })).toMatchObject({
      connectionLost: true,
      applied: 'unknown',
    });
  });

  test('before it has begun costs a single statement nothing at all', async () => {
    const killer = await openSession();
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    await using db = postgres(proxy.through(url), { pool: { max: 1 } });
    await killer.query({ text: 'CREATE TABLE dal_pg_crossed (id int)', values: [] });
    try {
      const pid = await db.queryValue('SELECT pg_backend_pid()');
      proxy.set('stall-up');
      const crossing = db.execute('INSERT INTO dal_pg_crossed VALUES (1)');
      await sleep(20);
      await killer.kill!(String(pid));
      proxy.set('pass');
      expect(await crossing).toMatchObject({ affectedRows: 1 });
      expect(await rowsOf(killer, 'SELECT count(*) FROM dal_pg_crossed')).toEqual([[1]]);
    } finally {
      await killer.query({ text: 'DROP TABLE dal_pg_crossed', values: [] });
    }
  });
});

test('a COMMIT that no replica has confirmed says so', async () => {
  await using server = await startServer('postgres', {
    own: true,
    settings: { synchronous_standby_names: 'nobody' },
  });
  const options = { url: server.url };
  const canceller = await openSession({ ...options, options: '-c synchronous_commit=local' });
  await rowsOf(canceller, 'CREATE TABLE ledger (id int)');
  const session = await openSession(options);
  const texts = ['COMMIT', 'INSERT INTO ledger VALUES (2)'];
  for (const [index, text] of texts.entries()) {
    if (text === 'COMMIT') {
      await rowsOf(session, 'BEGIN');
      await rowsOf(session, 'INSERT INTO ledger VALUES (1)');
    }
    const waiting = session.query({ text, values: [] });
    await waitsForReplicas(canceller, session);
    await session.cancel!();
    const { command, unconfirmed } = await waiting;
    expect([command, unconfirmed]).toEqual([text.split(' ')[0], true]);
    expect(await rowsOf(canceller, 'SELECT count(*) FROM ledger')).toEqual([[index + 1]]);
  }
  await rowsOf(session, "SET synchronous_commit = 'local'");
  expect(
    await session.query({ text: 'INSERT INTO ledger VALUES (3)', values: [] }),
  ).not.toHaveProperty('unconfirmed');
  // Another warning says nothing of the kind.
  const warned = await session.query({ text: 'ROLLBACK', values: [] });
  expect(warned).not.toHaveProperty('unconfirmed');
});

async function waitsForReplicas(observer: Session, session: Session): Promise<void> {
  const text = 'SELECT wait_event FROM pg_stat_activity WHERE pid = $1';
  await vi.waitFor(async () =>
    expect(await rowsOf(observer, text, [session.id])).toEqual([['SyncRep']]),
  );
}

test('the module of the driver exports it, for a worker', async () => {
  const { driver } = (await import(postgresDriver.module!)) as { driver: unknown };
  expect(driver).toBe(postgresDriver);
});

describe('a missing database', () => {
  test('is made when that is asked for, with any name, by two at once', async () => {
    const database = `dal "made" 'now'`;
    const admin = await openSession();
    const drop = `DROP DATABASE IF EXISTS "dal ""made"" 'now'" WITH (FORCE)`;
    await rowsOf(admin, drop);
    expect(await faultOf(openSession({ database }))).toMatchObject({ code: '3D000' });
    const both = await Promise.all(
      [1, 2].map(() => openSession({ database, createIfMissing: true })),
    );
    for (const session of both) {
      expect(await rowsOf(session, 'SELECT current_database()')).toEqual([[database]]);
      await session.close();
    }
    await rowsOf(admin, drop);
  });
});

describe('a limit that the administrator has set', () => {
  test('is not raised', async () => {
    const session = await openSession({ options: '-c statement_timeout=200' });
    await session.limit!(60_000);
    expect(await rowsOf(session, 'SHOW statement_timeout')).toEqual([['200ms']]);
    await session.limit!(100);
    expect(await rowsOf(session, 'SHOW statement_timeout')).toEqual([['100ms']]);
    await session.limit!(0);
    expect(await rowsOf(session, 'SHOW statement_timeout')).toEqual([['200ms']]);
  });
});
