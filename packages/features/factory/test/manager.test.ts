import { createManager, SetupError } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { type Server, startServer } from '@dal/testing/servers';
import { expect, inject, test } from 'vitest';

const engines = inject('engines');
const servers = engines.filter(({ name }) => name !== 'sqlite');
const quick = { retryBaseDelayMs: 100, retryMaxDelayMs: 400, setupTimeoutMs: 2_000 };

test('all databases by name, each on its own server', async () => {
  const databases = Object.fromEntries(engines.map(({ name, url }) => [`db_${name}`, url]));
  await using manager = createManager({ databases });
  expect(() => manager.get(`db_${engines[0]?.name}`)).toThrow('manager.setup()');
  expect(await manager.setup()).toEqual({ ok: Object.keys(databases), failed: {} });
  expect(manager.names()).toEqual(Object.keys(databases));
  for (const { name } of engines) {
    const db = manager.get(`db_${name}`);
    expect(db.name).toBe(`db_${name}`);
    expect((await db.version()).flavor).toBe(name);
  }
  expect(await manager.healthSummary()).toEqual({
    totalPools: engines.length,
    healthyPools: engines.length,
  });
  const stats = manager.stats();
  expect(stats).toMatchObject({ successfulSetups: engines.length, failedSetups: 0 });
  expect(Object.keys(stats.databases)).toEqual(Object.keys(databases));
  await manager.close();
  expect(() => manager.get('db_x')).toThrow('no database "db_x"');
  await expect(manager.setup()).rejects.toMatchObject({ code: 'DAL_CLOSED' });
});

test.each(servers)(
  '$name: one server is down: the others work, and it comes back by itself',
  async ({ url }) => {
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    await proxy.down();
    await using manager = createManager({
      ...quick,
      databases: { primary: proxy.through(url), readonly: { url, readOnly: true } },
    });
    const { ok, failed } = await manager.setup();
    expect(ok).toEqual(['readonly']);
    expect(failed['primary']).toMatchObject({ name: 'ConnectionError' });
    const stats = manager.stats();
    expect(stats).toMatchObject({ successfulSetups: 1, failedSetups: 1 });
    expect(Object.keys(stats.errors)).toEqual(['primary']);
    expect(stats.errors['primary']).toMatchObject({ name: 'ConnectionError' });
    expect(await manager.get('readonly').queryValue('SELECT 7')).toBe(7);
    expect(await manager.health('primary')).toMatchObject({ status: 'down' });

    const attempts = proxy.counts.accepted;
    await proxy.up();
    await expect
      .poll(() => manager.stats(), { timeout: 3_000, interval: 20 })
      .toMatchObject({ successfulSetups: 2, failedSetups: 0, errors: {} });
    expect(proxy.counts.accepted).toBeGreaterThan(attempts);
    expect(await manager.get('primary').queryValue('SELECT 7')).toBe(7);
    expect(await manager.setup()).toEqual({ ok: ['primary', 'readonly'], failed: {} });
  },
);

test('a real server that is stopped and started again', async () => {
  await using server: Server = await startServer('postgres', { own: true });
  const other = engines.find(({ name }) => name !== 'postgres') ?? engines[0];
  await server.stop();
  await using manager = createManager({
    ...quick,
    databases: { first: server.url, other: other?.url ?? '' },
  });
  const { ok, failed } = await manager.setup();
  expect(ok).toEqual(['other']);
  expect(Object.keys(failed)).toEqual(['first']);
  await server.start();
  await expect
    .poll(() => manager.stats().successfulSetups, { timeout: 8_000, interval: 50 })
    .toBe(2);
  expect(await manager.get('first').queryValue('SELECT 7')).toBe(7);
  await server.stop();
  expect((await manager.health())['first']).toMatchObject({ status: 'down' });
  expect(await manager.get('other').queryValue('SELECT 7')).toBe(7);
  await server.start();
  await expect
    .poll(async () => (await manager.health('first')).status, { timeout: 8_000, interval: 100 })
    .toBe('up');
}, 60_000);

test.each(servers)('$name: health tells how long the answer took', async ({ url }) => {
  await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
  await using manager = createManager({
    databases: { slow: { url: proxy.through(url), pool: { max: 1 } }, fast: url },
    healthTimeoutMs: 600,
  });
  await manager.setup();
  proxy.set({ latencyMs: 60 });
  const { slow, fast } = await manager.health();
  expect(slow).toMatchObject({ status: 'up', error: undefined });
  // 60 ms each way.
  expect(slow?.responseTimeMs).toBeGreaterThanOrEqual(100);
  expect(slow?.responseTimeMs).toBeLessThan(450);
  expect(fast?.status).toBe('up');
  expect(fast?.responseTimeMs).toBeLessThan(100);

  proxy.set('pass');
  await using held = await manager.get('slow').acquire();
  expect(await manager.health('slow')).toMatchObject({
    status: 'busy',
    error: { code: 'DAL_POOL_TIMEOUT' },
  });
  await held.release();
});

test('a server that says nothing any more is down within the time', async () => {
  const url = servers[0]?.url ?? '';
  await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
  await using manager = createManager({
    databases: { frozen: proxy.through(url) },
    healthTimeoutMs: 300,
  });
  await manager.setup();
  proxy.set('stall');
  const frozen = await manager.health('frozen');
  expect(frozen.status).toBe('down');
  expect(frozen.responseTimeMs).toBeLessThan(1_000);
});

test('a wrong configuration stays failed, and says what is wrong', async () => {
  await using manager = createManager({
    ...quick,
    databases: {
      good: 'sqlite::memory:',
      typo: { url: 'sqlite::memory:', statementTimeoutMss: 5 },
      nobody: 'oracel://app:hunter2@h/d',
    },
  });
  const { ok, failed } = await manager.setup();
  expect(ok).toEqual(['good']);
  expect(failed['typo']?.message).toContain('statementTimeoutMs');
  expect(failed['nobody']).toMatchObject({ name: 'UnknownDatabaseTypeError' });
  expect(() => manager.get('typo')).toThrow(SetupError);
  expect(await manager.health('typo')).toMatchObject({ status: 'down' });
  expect(() => manager.get('godo')).toThrow('Did you mean "good"?');
  expect(() => createManager({ databses: {} } as object)).toThrow('Did you mean "databases"?');
  expect(() => createManager({ databases: { one: 5 } } as object)).toThrow('databases.one');
});

test('databases are added while the program runs', async () => {
  await using manager = createManager({ ...quick });
  expect(await manager.setup()).toEqual({ ok: [], failed: {} });
  for (const { name, url } of engines) {
    const db = await manager.createPool(`users_${name}`, name, { url, pool: { max: 3 } });
    expect(await db.queryValue('SELECT 7')).toBe(7);
    expect(manager.get(`users_${name}`)).toBe(db);
  }
  await expect(manager.createPool('users_sqlite', 'sqlite', {})).rejects.toThrow('already');
  await expect(manager.createPool('odd', 'sqlite', { pth: 'x' })).rejects.toThrow('path');
  expect(manager.names()).toEqual(engines.map(({ name }) => `users_${name}`));
  expect(manager.stats().successfulSetups).toBe(engines.length);
});

test('close ends the tries of the background and leaves nothing open', async () => {
  const url = servers[0]?.url ?? 'sqlite::memory:';
  await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
  proxy.set('reset-on-accept');
  const manager = createManager({ ...quick, databases: { gone: proxy.through(url), there: url } });
  await manager.setup();
  await manager.close();
  const { accepted } = proxy.counts;
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(proxy.counts.accepted).toBe(accepted);
  expect(proxy.counts.open).toBe(0);
  await manager.close();
});
