import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify, inspect } from 'node:util';
import { ConfigError, type Driver } from '@dal/core';
import { driver } from '@dal/sqlite';
import { expect, test } from 'vitest';
import { DatabaseConfig, type DatabaseConfigOptions } from './database-config.ts';
import { registerScheme } from './driver-registry.ts';
import { loadConfig } from './load-config.ts';
import { currentConfig, withConfig } from './with-config.ts';

const parts = {
  driver: 'postgres',
  host: 'db.example.com',
  port: 5433,
  user: 'app',
  password: 'hunter2',
  database: 'shop',
  name: 'main',
  env: 'prod',
} as const;

test.each<[string, string | object, object]>([
  ['parts', parts, { host: 'db.example.com', port: 5433, database: 'shop', alias: 'main' }],
  ['a URL', 'mysql://a:b@h:3307/d', { host: 'h', port: 3307, database: 'd', alias: 'mysql' }],
  ['options beside a URL', { url: 'mariadb://h/d', database: 'e' }, { host: 'h', database: 'e' }],
  ['several hosts', { driver: 'mysql', host: ['a:1', 'b'], port: 7 }, { host: 'a', port: 1 }],
  ['several in a URL', 'postgres://a,b:7/d', { host: 'a', port: undefined, database: 'd' }],
  ['a socket', 'postgres:///d?host=/run/pg', { host: '/run/pg', database: 'd' }],
  ['little', { driver: 'postgres' }, { host: undefined, port: undefined, database: undefined }],
  ['a file', 'sqlite:./app.db', { host: undefined, database: './app.db', alias: 'sqlite' }],
  ['a file by its URL', 'file:///var/a%20b.db?readOnly=true', { database: '/var/a b.db' }],
  ['memory', 'sqlite::memory:', { database: ':memory:' }],
  ['a per cent sign that means nothing', 'sqlite:./100%.db', { database: './100%.db' }],
  ['a path', { driver: 'sqlite', path: '/x.db' }, { database: '/x.db' }],
  ['MongoDB', loadConfig({ env: { MONGODB_URI: 'mongodb://m1,m2/shop' } }), { database: 'shop' }],
])('it says where it points to: %s', (_, given, expected) => {
  const config = new DatabaseConfig(given as string);
  const said = {
    host: config.host(),
    port: config.port(),
    database: config.database(),
    alias: config.alias(),
  };
  expect(said).toMatchObject(expected);
});

test('an alias is the name, and a label goes along', () => {
  const { name, ...rest } = parts;
  const config = new DatabaseConfig({ ...rest, alias: name });
  expect(config.config()).toEqual(parts);
  expect(config.env()).toBe('prod');
  expect(new DatabaseConfig(config, { env: 'test' }).env()).toBe('test');
  expect(new DatabaseConfig(config, { alias: 'other' }).alias()).toBe('other');
});

test('options over others win, and another database takes nothing of the old address', () => {
  const config = new DatabaseConfig({ ...parts, pool: { max: 3, min: 1 } });
  const replica = new DatabaseConfig(config, { host: 'replica', pool: { max: 5 } });
  expect(replica.config()).toEqual({ ...parts, host: 'replica', pool: { max: 5, min: 1 } });
  const elsewhere = new DatabaseConfig(config, { url: 'postgres://elsewhere/d' });
  expect(elsewhere.config()['password']).toBeUndefined();
  expect([elsewhere.host(), elsewhere.port(), elsewhere.env()]).toEqual([
    'elsewhere',
    undefined,
    'prod',
  ]);
});

test('the environment gives one too, label and prefix included', () => {
  const env = { ORDERS_DB_URL: 'postgres://app@h/orders', ORDERS_DB_ENV: '7', DB_HOST: 'x' };
  const config = DatabaseConfig.load({ env, prefix: 'ORDERS' });
  expect([config.host(), config.database(), config.env()]).toEqual(['h', 'orders', '7']);
});

test('no secret is printed, in whatever way', () => {
  const shown = (config: DatabaseConfig): string[] => [
    inspect(config, { depth: 9, showHidden: true }),
    inspect({ inside: { config } }, { depth: 9 }),
    JSON.stringify(config),
    String(config),
    inspect(config.config()),
    JSON.stringify({ options: config.config() }),
    JSON.stringify(Object.getOwnPropertyNames(config)),
  ];
  const secrets = {
    ...parts,
    tls: { mode: 'require', key: 'hunter2' },
  } as const;
  for (const given of [secrets, 'postgres://app:hunter2@h/d?sslpassword=hunter2']) {
    for (const text of shown(new DatabaseConfig(given))) expect(text).not.toContain('hunter2');
  }
  const [text] = shown(new DatabaseConfig(parts));
  expect(text).toContain("host: 'db.example.com'");
  expect(text).toContain(new DatabaseConfig(parts).hash());
  expect(String(new DatabaseConfig(parts))).toMatch(/^DatabaseConfig\(main prod [0-9a-f]{16}\)$/);
});

test('the secrets are there for who takes it apart', () => {
  const config = new DatabaseConfig(parts);
  expect({ ...config.config() }).toEqual(parts);
  expect(config.config()['password']).toBe('hunter2');
});

test('nothing changes it', () => {
  const tls = { mode: 'require' };
  const config = new DatabaseConfig({ ...parts, tls, pool: { max: 3 } });
  const hash = config.hash();
  tls.mode = 'disable';
  const options = config.config() as Record<string, unknown>;
  expect(() => (options['host'] = 'evil')).toThrow(TypeError);
  expect(() => ((options['tls'] as { mode: string }).mode = 'disable')).toThrow(TypeError);
  expect(config.config()['tls']).toEqual({ mode: 'require' });
  expect(config.hash()).toBe(hash);
});

test('the hash follows what is said about the database, not the secret nor the labels', () => {
  const hash = (over: DatabaseConfigOptions): string => new DatabaseConfig(parts, over).hash();
  const same = [{}, { password: 'other' }, { name: 'b', env: 'test' }, { pool: { max: 3 } }];
  expect(new Set(same.map(hash)).size).toBe(1);
  const others = [{ host: 'x' }, { port: 1 }, { user: 'x' }, { database: 'x' }, { readOnly: true }];
  expect(new Set([{}, ...others].map(hash)).size).toBe(others.length + 1);
});

test('one driver has one hash, by whatever word it is called', () => {
  const hash = (answers: string | Driver): string =>
    new DatabaseConfig({ driver: answers, host: 'h', database: 'd' }).hash();
  expect(hash('mariadb')).toBe(hash('mysql'));
  expect(hash('postgresql')).toBe(hash('postgres'));
  registerScheme('cockroach:', '@dal/postgres');
  expect(hash('cockroach')).toBe(hash('postgres'));
  expect(hash({ ...driver, name: 'postgres' })).toBe(hash('postgres'));
  expect(hash('oracle')).not.toBe(hash('postgres'));
});

// Node runs the sources as they are from 22.18 on.
test.skipIf(!process.features.typescript)('the hash is the same in another process', async () => {
  const source = fileURLToPath(new URL('database-config.ts', import.meta.url));
  const program = `
    const { DatabaseConfig } = await import(${JSON.stringify(source)});
    const { database, ...rest } = ${JSON.stringify({ ...parts, password: 'another' })};
    console.log(new DatabaseConfig({ database, ...rest }).hash());`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@dal/source', '--input-type=module', '--eval', program],
    { timeout: 20_000 },
  );
  expect(stdout.trim()).toBe(new DatabaseConfig(parts).hash());
});

test('it stands for options wherever these are taken', async () => {
  const config = new DatabaseConfig({ driver: 'mysql', host: 'h', database: 'd' });
  expect(loadConfig({ env: {}, overrides: config })).toEqual(config.config());
  expect(withConfig(config, () => currentConfig())).toEqual(config.config());
});

test('what is none is refused, without a word of the secret', () => {
  const wrong: [unknown, string][] = [
    [undefined, 'a URL or an object'],
    [['x'], 'a URL or an object'],
    ['hunter2', "can't be read"],
    ['postgres://a:hunter2@h:99999/d', 'port'],
    [{ url: 7 }, 'config.url'],
    [{ driver: 'mysql', env: 7 }, 'config.env'],
    [{ driver: 7 }, 'config.driver'],
    [{ driver: null }, 'config.driver'],
    [{ ...parts, alias: 'other' }, 'config.alias'],
    [{ driver: 'mysql', host: 7 }, 'config.host'],
  ];
  for (const [given, message] of wrong) {
    const make = (): unknown => new DatabaseConfig(given as string);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
    expect(make).not.toThrow('hunter2');
  }
});

test('without a driver there is no hash, and it can be printed all the same', () => {
  const config = new DatabaseConfig({ host: 'h', password: 'hunter2' });
  expect(() => config.hash()).toThrow('driver: "postgres"');
  expect(inspect(config)).not.toContain('hunter2');
  expect(String(config)).toBe('DatabaseConfig()');
});
