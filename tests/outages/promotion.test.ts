import { createDatabase } from '@dal/factory';
import { channels, type Database } from '@dal/core';
import { type Server, type Replica, startReplica, startServer } from '@dal/testing/servers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { readLedger, WriteLoad } from './write-load.ts';

const wanted = inject('engines').some(({ name }) => name === 'postgres');
const TABLE = 'promotion_ledger';
/** What a machine with other work may add. */
const SLACK_MS = 1_000;

test.runIf(wanted)(
  'a standby is promoted under write load: writes go on, none is lost or doubled',
  { timeout: 60_000 },
  async () => {
    await using primary = await startPrimary();
    await using replica = await startReplica(primary, 'second');
    await using db = await openBoth(primary, replica);
    await prepare(db);
    expect(await db.queryValue('SHOW port')).toBe(String(primary.port));
    const moves: unknown[] = [];
    const note = (move: unknown): void => void moves.push(move);
    channels.failover.subscribe(note);

    const load = new WriteLoad(db, TABLE, 10, 8_000);
    await sleep(500);
    await primary.kill();
    await sleep(300);
    await replica.promote();
    const promoted = performance.now();
    const first = await load.firstSince(promoted);
    await sleep(300);
    await load.stop();
    channels.failover.unsubscribe(note);

    expect(first - promoted).toBeLessThan(500 + SLACK_MS);
    expect(moves).toMatchObject([
      { from: `127.0.0.1:${primary.port}`, to: `127.0.0.1:${replica.port}` },
    ]);
    const { ops, rows } = await readLedger(db, TABLE);
    expect(rows).toBe(ops.size);
    expect(load.acknowledged.filter(({ op }) => !ops.has(op))).toEqual([]);
    // Those that were on the wire when the line broke; all others waited for the new primary.
    expect(load.failed.length).toBeLessThanOrEqual(10);
    expect(await db.queryValue('SHOW port')).toBe(String(replica.port));
  },
);

test.runIf(wanted)(
  'a primary that freezes is left, and gets no write when it comes back',
  { timeout: 60_000 },
  async () => {
    await using primary = await startPrimary({ synchronous_standby_names: '' });
    await using replica = await startReplica(primary, 'second');
    await using db = await openBoth(primary, replica);
    await using old = await createDatabase(primary.url, { pool: { max: 1 } });
    await prepare(db);
    // More than there are sessions, with much more time than the test has.
    const load = new WriteLoad(db, TABLE, 8, 20_000);
    await sleep(300);
    await primary.freeze();
    await sleep(1_000);
    // The other one is a standby: who is frozen may come back, and is waited for.
    expect(load.failed).toEqual([]);
    await replica.promote();
    const promoted = performance.now();
    const first = await load.firstSince(promoted);
    expect(first - promoted).toBeLessThan(500 + SLACK_MS);
    // Those that were on the wire; nobody knows whether they took effect there.
    expect(load.failed.length).toBeLessThanOrEqual(5);
    for (const { error } of load.failed)
      expect(error).toMatchObject({ fault: { applied: 'unknown' } });

    await primary.thaw();
    // What was on its way when it froze may arrive now.
    await sleep(300);
    const before = await readLedger(old, TABLE);
    await sleep(1_000);
    const later = await readLedger(old, TABLE);
    expect(later.rows).toBe(before.rows);
    await load.stop();
    expect(await db.queryValue('SHOW port')).toBe(String(replica.port));

    // A new database that asks the old one first is not told that it is the primary by its word
    // alone, once it has seen the new one.
    const { ops, rows } = await readLedger(db, TABLE);
    expect(rows).toBe(ops.size);
    expect(load.acknowledged.length).toBeGreaterThan(10);
  },
);

test.runIf(wanted)('roles are told apart', { timeout: 60_000 }, async () => {
  await using primary = await startPrimary({ synchronous_standby_names: '' });
  await using replica = await startReplica(primary, 'second');
  const at = async (target: string): Promise<number> => {
    const url = hosts(primary.url, replica, primary);
    await using db = await createDatabase(`${url}?target_session_attrs=${target}`);
    return Number(await db.queryValue('SHOW port'));
  };
  expect(await at('any')).toBe(replica.port);
  expect(await at('read-write')).toBe(primary.port);
  expect(await at('primary')).toBe(primary.port);
  expect(await at('standby')).toBe(replica.port);
  expect(await at('read-only')).toBe(replica.port);
  expect(await at('prefer-standby')).toBe(replica.port);
  await replica.kill();
  expect(await at('any')).toBe(primary.port);
  expect(await at('prefer-standby')).toBe(primary.port);
  await using none = await createDatabase(
    `${hosts(primary.url, replica, primary)}?target_session_attrs=standby`,
    { retry: { maxRetries: 0 } },
  );
  await expect(none.query('SELECT 1')).rejects.toThrow(
    new RegExp(
      `None of the servers is a standby: .*:${replica.port} failed.*:${primary.port} is a primary`,
    ),
  );
});

function startPrimary(settings: Record<string, string> = {}): Promise<Server> {
  return startServer('postgres', {
    own: true,
    settings: { synchronous_standby_names: 'second', wal_keep_size: '256MB', ...settings },
  });
}

function hosts(url: string, ...servers: Server[]): string {
  const list = servers.map(({ host, port }) => `${host}:${port}`).join(',');
  return url.replace(/@[^/]*/, `@${list}`);
}

function openBoth(primary: Server, replica: Replica): Promise<Database> {
  return createDatabase(`${hosts(primary.url, primary, replica)}?target_session_attrs=read-write`, {
    pool: { max: 5 },
  });
}

async function prepare(db: Database): Promise<void> {
  await db.execute(`DROP TABLE IF EXISTS ${TABLE}`);
  await db.execute(`CREATE TABLE ${TABLE} (op int)`);
}
