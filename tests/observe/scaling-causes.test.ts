// Each cause on a real server: it is named before anything is said of scaling.
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { createDatabase } from '@dal/factory';
import { enableScaling } from '@dal/scaling';
import { type Server, startServer } from '@dal/testing/servers';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { advised, hearScaling, refuse } from './scaling-stage.ts';

/** Five minutes are three seconds here. */
const options = { slotMs: 50, slowQueries: false };
const engines = inject('engines');

describe.each(engines)('$name', ({ url, name: engine }) => {
  test('a leak: give connections back', async () => {
    using _ = enableScaling(options);
    await using db = await createDatabase(url, {
      name: `leaking ${engine}`,
      shared: false,
      pool: { max: 2, maxWaiting: 0, leakThresholdMs: 200 },
    });
    const events = hearScaling();
    const held = [await db.acquire(), await db.acquire()];
    await using _back = {
      [Symbol.asyncDispose]: async () => {
        for (const connection of held.splice(0)) await connection.release();
      },
    };
    await refuse(db, 300);
    const advice = await advised(db, ({ reason }) => reason.startsWith('2 connections are'));
    expect(advice).toMatchObject({
      level: 'critical',
      action: 'release_connections_sooner',
      reason: '2 connections are lent for long without a statement',
    });
    for (const connection of held.splice(0)) await connection.release();
    const later = await advised(db, ({ action }) => action !== 'release_connections_sooner');
    expect(later.level).toBe('critical');
    expect(events.some(({ action }) => action === 'release_connections_sooner')).toBe(true);
  });

  test('connections that are kept for other work', { timeout: 20_000 }, async () => {
    await using db = await createDatabase(url, { name: `idling ${engine}`, pool: { max: 1 } });
    const connection = await db.acquire();
    using _ = enableScaling(options);
    await connection.query('SELECT 1 AS one');
    const advice = await advised(db, ({ action }) => action !== 'none');
    expect(advice.action).toBe('release_connections_sooner');
    expect(advice.reason).toMatch(/^\d+ % of the connections are lent, and statements run on them/);
    expect(advice.busyShare).toBeLessThan(0.5);
    await connection.release();
  });

  test('a slow statement is named, without its values', async () => {
    using scaling = enableScaling(options);
    await using db = await createDatabase(url, {
      name: `slow ${engine}`,
      shared: false,
      pool: { max: 1, maxWaiting: 0 },
    });
    const connection = await db.acquire();
    // What a session is asked only once is behind it.
    await connection.query('SELECT 1 AS one');
    const busy = connection.query(slow(4_711));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await refuse(db, 300);
    await busy;
    await connection.release();
    const advice = await advised(
      db,
      ({ level, busiest }) => level !== 'normal' && busiest?.text.startsWith('WITH') === true,
    );
    expect(advice.action).toBe('review_slow_queries');
    expect(advice.busiest?.share).toBeGreaterThan(0.3);
    const [first] = scaling.digests({ top: 1, database: `slow ${engine}` });
    expect(first).toMatchObject({ id: advice.busiest?.id, text: advice.busiest?.text, count: 1 });
    expect(advice.sentence).toContain(advice.busiest?.id);
    expect(JSON.stringify([advice, first])).not.toContain('4711');
    expect(first?.text).toContain('WHERE i < ?');
  });
});

const [anyEngine] = engines;

test.runIf(anyEngine)('a blocked event loop: more processes', { timeout: 20_000 }, async () => {
  using _ = enableScaling(options);
  await using db = await createDatabase(anyEngine?.url ?? '', { name: 'blocked' });
  await db.query('SELECT 1 AS one');
  let advice = db.scaling();
  for (let round = 0; round < 200 && advice.action === 'none'; round++) {
    const until = performance.now() + 45;
    while (performance.now() < until);
    await new Promise(setImmediate);
    advice = db.scaling();
  }
  expect(advice.action).toBe('scale_out_app');
  expect(advice.eventLoop).toBeGreaterThanOrEqual(0.9);
  expect(advice.sentence).toContain('busy with itself');
});

describe.runIf(engines.some(({ name }) => name === 'postgres'))('a server of its own', () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer('postgres', { settings: { max_connections: 20 }, own: true });
  });
  afterAll(() => server.close());

  test('few places left: a pooler, or a bigger server', async () => {
    using scaling = enableScaling(options);
    await using db = await createDatabase(server.url, { name: 'crowded', pool: { max: 2 } });
    using _probe = scaling.probeHeadroom(db, { everyMs: 100 });
    const before = await advised(db, ({ headroom }) => headroom !== undefined);
    expect(before.action).toBe('none');
    const events = hearScaling();
    await using others = await createDatabase(server.url, { name: 'others', pool: { max: 17 } });
    const room = (before.headroom ?? 0) - 1;
    const held = await Promise.all(Array.from({ length: room }, () => others.acquire()));
    const advice = await advised(db, ({ action }) => action !== 'none');
    expect(advice).toMatchObject({ action: 'use_pooler_or_bigger_database', level: 'normal' });
    expect(advice.headroom).toBeLessThanOrEqual(1);
    expect(advice.reason).toMatch(/of 20 places left$/);
    for (const connection of held) await connection.destroy();
    await advised(db, ({ action }) => action === 'none');
    const own = events.filter(({ pool }) => pool === db.observed.pool);
    expect(own.map(({ action }) => action)).toEqual(['use_pooler_or_bigger_database', 'none']);
  });

  test('a server that has refused one more says it without being asked', async () => {
    using _ = enableScaling(options);
    await using root = await createDatabase(server.url, { name: 'root', pool: { max: 1 } });
    await root.execute("CREATE ROLE narrow LOGIN PASSWORD 'narrow' CONNECTION LIMIT 1");
    const url = new URL(server.url);
    url.username = url.password = 'narrow';
    await using first = await createDatabase(url.href, { name: 'first', shared: false });
    await first.query('SELECT 1 AS one');
    await using db = await createDatabase(url.href, { name: 'second', shared: false });
    await db.query('SELECT 1 AS one', [], { timeoutMs: 300 }).catch(() => undefined);
    const advice = await advised(db, ({ action }) => action !== 'none');
    expect(advice).toMatchObject({ action: 'use_pooler_or_bigger_database' });
    expect(advice.reason).toContain('no place left');
  });

  test('a server that is gone, and comes back', async () => {
    using _ = enableScaling(options);
    await using db = await createDatabase(server.url, { name: 'gone' });
    await db.query('SELECT 1 AS one');
    await server.stop();
    await db.query('SELECT 1 AS one', [], { timeoutMs: 200 }).catch(() => undefined);
    const advice = await advised(db, ({ action }) => action !== 'none');
    expect(advice).toMatchObject({ action: 'database_unreachable', level: 'normal', failed: 0 });
    await server.start();
    await db.query('SELECT 1 AS one');
    await advised(db, ({ action }) => action === 'none');
  });
});

test('nobody listens at the address; an open breaker', async () => {
  using _ = enableScaling(options);
  const nobody = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => nobody.once('listening', resolve));
  const { port } = nobody.address() as AddressInfo;
  await new Promise((resolve) => nobody.close(resolve));
  await using db = await createDatabase(`postgres://someone:s3cret@127.0.0.1:${port}/nothing`, {
    name: 'nobody',
    circuitBreaker: { failureThreshold: 1 },
  });
  await db.query('SELECT 1 AS one', [], { timeoutMs: 100 }).catch(() => undefined);
  const advice = await advised(db, ({ action }) => action !== 'none');
  expect(advice.action).toBe('database_unreachable');
  expect(JSON.stringify(advice)).not.toContain('s3cret');
});

/** Takes some time on every engine, without its words for sleeping. */
function slow(value: number): string {
  return `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT COUNT(*) FROM n a, n b, (SELECT 1 AS c UNION ALL SELECT 2) twice WHERE a.i + b.i < ${value} - 5000`;
}
