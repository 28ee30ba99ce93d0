import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { freePort, startServer } from '@dal/testing/servers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';

const servers = inject('engines').filter(({ name }) => name !== 'sqlite');

const MAX = 5;
/** What the machine may add on a bad day. */
const SLACK_MS = 300;

test.each(servers)(
  '$name: refused for a while: callers wait, one attempt at a time, and are served on its return',
  { timeout: 30_000 },
  async ({ url, name }) => {
    for (const outageMs of [100, 1_500]) {
      await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
      await using db = await createDatabase(proxy.through(url), { pool: { max: MAX } });
      await Promise.all(Array.from({ length: MAX }, () => db.query('SELECT 1')));

      // Not refused but reset, so that the attempts can be counted.
      proxy.set('reset-on-accept');
      proxy.resetAll();
      await expect.poll(() => db.pool.stats().size, { interval: 2 }).toBe(0);
      const before = proxy.counts.accepted;
      const calls = Array.from({ length: 40 }, (_, turn) =>
        db.queryValue<number>('SELECT ?', [turn], { timeoutMs: 8_000 }),
      );
      const all = Promise.all(calls.map((call) => call.then(() => performance.now())));
      all.catch(() => undefined);
      const began = performance.now();
      await sleep(outageMs);
      const attempts = proxy.counts.accepted - before;
      // At once and again after each pause. `prefer` of TLS may knock twice.
      const knocks = (1 + (performance.now() - began) / 100) * (name === 'postgres' ? 2 : 1);
      // The loss may be noticed by a statement, which tries again a moment later.
      if (outageMs > 1_000) expect(attempts).toBeGreaterThan(5);
      expect(attempts).toBeLessThanOrEqual(Math.ceil(knocks));

      proxy.set('pass');
      const back = performance.now();
      let most = 0;
      const watch = setInterval(() => (most = Math.max(most, proxy.counts.open)), 1);
      const times = await all;
      clearInterval(watch);
      expect(Math.min(...times) - back).toBeLessThan(300 + SLACK_MS);
      expect(Math.max(...times) - back).toBeLessThan(1_000 + SLACK_MS);
      expect(most).toBeLessThanOrEqual(MAX);
      await expect.poll(() => db.pool.stats()).toMatchObject({ waiting: 0, connecting: 0 });
    }
  },
);

test.each(servers)('$name: whoever gives up before the return is told why', async ({ url }) => {
  await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
  await using db = await createDatabase(proxy.through(url));
  await db.query('SELECT 1');
  await proxy.down();
  const started = performance.now();
  const error = await db.query('SELECT 1', [], { timeoutMs: 700 }).catch((thrown) => thrown);
  expect(error).toMatchObject({
    name: 'ConnectionError',
    kind: 'connection',
    code: 'DAL_CONNECT_TIMEOUT',
    cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
  });
  expect(error.message).toContain('ECONNREFUSED');
  expect(performance.now() - started).toBeGreaterThan(600);
  expect(performance.now() - started).toBeLessThan(1_500);

  // Who waits leaves nothing behind.
  const aborter = new AbortController();
  const waiting = db.query('SELECT 1', [], { signal: aborter.signal });
  aborter.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'DAL_ABORTED' });
  expect(db.pool.stats().waiting).toBe(0);
});

test.each(servers)('$name: what waiting does not cure is told at once', async ({ url }) => {
  const wrong = new URL(url);
  wrong.password = 'certainly-wrong';
  await using db = await createDatabase(wrong.href, { retry: { maxRetries: 0 } });
  const started = performance.now();
  const refused = await Promise.allSettled(Array.from({ length: 50 }, () => db.query('SELECT 1')));
  expect(refused.every((call) => call.status === 'rejected')).toBe(true);
  expect(refused[0]).toMatchObject({ reason: { kind: 'authentication' } });
  expect(performance.now() - started).toBeLessThan(2_000);
  // Those that were under way together; not one for each caller.
  expect(db.pool.stats().connectErrors).toBeLessThanOrEqual(10);

  // Nothing was ever there: a wrong address, more likely than an outage.
  const nobody = new URL(url);
  nobody.port = String(await freePort());
  await using nowhere = await createDatabase(nobody.href, { retry: { maxRetries: 0 } });
  const asked = performance.now();
  await expect(nowhere.query('SELECT 1')).rejects.toMatchObject({
    cause: { code: 'ECONNREFUSED' },
  });
  expect(performance.now() - asked).toBeLessThan(1_000);
});

test('failFast tells each caller the next attempt instead of waiting', async () => {
  const [first] = servers;
  if (!first) return;
  await using proxy = await startFaultProxy({ port: Number(new URL(first.url).port) });
  await using db = await createDatabase(proxy.through(first.url), {
    pool: { failFast: true },
    retry: { maxRetries: 0 },
  });
  await db.query('SELECT 1');
  await proxy.down();
  for (let call = 0; call < 3; call++) {
    const started = performance.now();
    await expect(db.query('SELECT 1')).rejects.toMatchObject({ name: 'ConnectionError' });
    expect(performance.now() - started).toBeLessThan(1_000);
  }
  await proxy.up();
  expect(await db.queryValue('SELECT 7')).toBe(7);
});

test('pools of one process share the attempts to one server', async () => {
  const [first] = servers;
  if (!first) return;
  await using proxy = await startFaultProxy({ port: Number(new URL(first.url).port) });
  const pools = await Promise.all(
    Array.from({ length: 4 }, () => createDatabase(proxy.through(first.url), { pool: { max: 2 } })),
  );
  await Promise.all(pools.map((db) => db.query('SELECT 1')));
  proxy.set('reset-on-accept');
  proxy.resetAll();
  await expect.poll(() => pools.every((db) => db.pool.stats().size === 0)).toBe(true);
  const before = proxy.counts.accepted;
  const calls = pools.map((db) => db.queryValue('SELECT 7', [], { timeoutMs: 8_000 }));
  await sleep(1_500);
  // Sixteen attempts in one and a half seconds at the most, each with two ways; not for each pool.
  expect(proxy.counts.accepted - before).toBeLessThanOrEqual(34);
  proxy.set('pass');
  const back = performance.now();
  expect(await Promise.all(calls)).toEqual([7, 7, 7, 7]);
  expect(performance.now() - back).toBeLessThan(1_000 + SLACK_MS);
  await Promise.all(pools.map((db) => db.close()));
});

test.each(['postgres', 'mariadb'] as const)(
  '%s: killed and started, then frozen and thawed: served right after the return',
  { timeout: 60_000 },
  async (kind) => {
    if (!servers.some(({ name }) => name === kind)) return;
    await using server = await startServer(kind, { own: true });
    await using db = await createDatabase(server.url, { pool: { max: MAX } });
    await using watcher = await createDatabase(server.url, { pool: { max: 1 } });
    await Promise.all(Array.from({ length: MAX }, () => db.query('SELECT 1')));
    for (const [end, begin] of [
      ['kill', 'start'],
      ['freeze', 'thaw'],
    ] as const) {
      await server[end]();
      const calls = Array.from({ length: 20 }, () =>
        db.queryValue('SELECT 7', [], { timeoutMs: 20_000, idempotent: true }),
      );
      await sleep(400);
      await server[begin]();
      const back = performance.now();
      await Promise.any(calls);
      expect(performance.now() - back).toBeLessThan(300 + SLACK_MS);
      expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, () => 7));
      const sessions = await watcher.queryValue<number>(
        kind === 'postgres'
          ? "SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
          : 'SELECT COUNT(*) FROM information_schema.processlist WHERE USER = CURRENT_USER() OR ID <> CONNECTION_ID() AND USER = SUBSTRING_INDEX(CURRENT_USER(), "@", 1)',
      );
      expect(Number(sessions)).toBeLessThanOrEqual(MAX);
    }
  },
);
