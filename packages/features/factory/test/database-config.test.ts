import { createDatabase, createManager, DatabaseConfig, poolRegistry } from '@dal/factory';
import { afterEach, describe, expect, inject, test, vi } from 'vitest';

const engines = inject('engines');

afterEach(async () => {
  vi.unstubAllEnvs();
  await poolRegistry.close(undefined, { timeoutMs: 1_000 });
});

describe.each(engines)('$name', ({ name, url }) => {
  test('a configuration opens a database, and its hash names the pool', async () => {
    const config = new DatabaseConfig({ url, name: 'main', env: 'test', pool: { max: 2 } });
    await using db = await createDatabase(config);
    await using same = await createDatabase(config, { name: 'other' });
    expect(await db.queryValue('SELECT 7')).toBe(7);
    await same.query('SELECT 7');
    expect([db.name, same.name]).toEqual(['main', 'other']);
    expect(db.configHash).toBe(config.hash());
    expect(poolRegistry.status(config.hash())).toMatchObject([{ name: 'main', databases: 2 }]);
    expect(await poolRegistry.close(config.hash(), { force: true })).toHaveLength(1);
    await expect(db.query('SELECT 7')).rejects.toMatchObject({ code: 'DAL_CLOSED' });
  });

  test('the driver may be said beside it', async () => {
    const config = new DatabaseConfig({ url });
    await using db = await createDatabase(name, config);
    expect(await db.queryValue('SELECT 7')).toBe(7);
    expect(db.configHash).toBe(config.hash());
  });

  test('a manager takes it too', async () => {
    const config = new DatabaseConfig(url, { env: 'test' });
    const databases = { first: config };
    await using manager = createManager({ databases });
    expect(await manager.setup()).toEqual({ ok: ['first'], failed: {} });
    expect(manager.get('first').name).toBe('first');
    const added = await manager.createPool('second', name, config);
    expect(added.configHash).toBe(config.hash());
    expect(await manager.get('second').queryValue('SELECT 7')).toBe(7);
    const held = await manager.get('first').acquire();
    const { first, second } = await manager.close({ timeoutMs: 50 });
    expect(first?.heldOn).toHaveLength(1);
    expect(second?.heldOn).toEqual([]);
    await held.release().catch(() => undefined);
  });

  test('the environment names one, with a label', async () => {
    vi.stubEnv('DATABASE_URL', url);
    vi.stubEnv('DATABASE_ENV', 'test');
    expect(DatabaseConfig.load().env()).toBe('test');
    await using db = await createDatabase();
    expect(db.configHash).toBe(DatabaseConfig.load().hash());
  });
});

test.each(engines.filter(({ name }) => name !== 'sqlite'))(
  '$name: another password has the same hash and a pool of its own',
  async ({ url }) => {
    const config = new DatabaseConfig(url);
    const wrong = new DatabaseConfig(config, { password: 'wrong' });
    const right = new DatabaseConfig(config, {
      password: decodeURIComponent(new URL(url).password),
    });
    expect(wrong.hash()).toBe(right.hash());
    await using db = await createDatabase(right);
    await db.query('SELECT 1');
    await using other = await createDatabase(wrong);
    await expect(other.query('SELECT 1')).rejects.toMatchObject({ kind: 'authentication' });
    expect(poolRegistry.status(right.hash())).toHaveLength(2);
  },
);
