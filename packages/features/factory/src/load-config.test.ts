import { afterEach, expect, test, vi } from 'vitest';
import { createDatabase } from './create-database.ts';
import { loadConfig } from './load-config.ts';
import { mergeConfig } from './merge-config.ts';
import { currentConfig, withConfig } from './with-config.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each<[string, Record<string, string>, string | undefined, object]>([
  ['a URL', { DATABASE_URL: 'postgres://a@h/d' }, undefined, { url: 'postgres://a@h/d' }],
  [
    'parts',
    {
      DB_DRIVER: 'mysql',
      DB_HOST: 'h',
      DB_PORT: '3307',
      DB_NAME: 'shop',
      DB_USER: 'u',
      DB_PASSWORD: '0815',
    },
    undefined,
    { driver: 'mysql', host: 'h', port: 3307, database: 'shop', user: 'u', password: '0815' },
  ],
  [
    'a prefix',
    {
      ORDERS_DB_HOST: 'h',
      ORDERS_DB_DRIVER: 'postgres',
      ORDERS_QUEUE: 'x',
      DATABASE_URL: 'sqlite:x',
    },
    'ORDERS',
    { driver: 'postgres', host: 'h' },
  ],
  [
    'a prefix alone, with pool options',
    { REPORTS_URL: 'mysql://h/d', REPORTS_POOL_MAX: '7', REPORTS_COLOR: 'red' },
    'REPORTS',
    { url: 'mysql://h/d', pool: { max: 7 } },
  ],
  [
    'options of the layer and of the driver',
    {
      DATABASE_URL: 'postgres://h/d',
      DATABASE_STATEMENT_TIMEOUT_MS: '2000',
      DATABASE_APPLICATION_NAME: 'shop',
      DATABASE_SSL: 'true',
      DATABASE_ALIAS: 'main',
    },
    undefined,
    {
      url: 'postgres://h/d',
      statementTimeoutMs: 2000,
      applicationName: 'shop',
      tls: 'require',
      name: 'main',
    },
  ],
  [
    'PostgreSQL by its own names',
    { PGHOST: '/run/pg', PGUSER: 'u', PGDATABASE: 'd', PGSSLMODE: 'verify-full' },
    undefined,
    { driver: 'postgres', host: '/run/pg', user: 'u', database: 'd', tls: 'verify-full' },
  ],
  [
    'MariaDB by the names of its image',
    { MARIADB_HOST: 'h', MARIADB_USER: 'u', MARIADB_PASSWORD: 'p', MARIADB_DATABASE: 'd' },
    undefined,
    { driver: 'mariadb', host: 'h', user: 'u', password: 'p', database: 'd' },
  ],
  ['MySQL by its own URL', { MYSQL_URL: 'mysql://h/d' }, undefined, { url: 'mysql://h/d' }],
  ['a file', { SQLITE_PATH: './app.db' }, undefined, { driver: 'sqlite', path: './app.db' }],
  [
    'a file under a prefix',
    { APP_DB_DRIVER: 'sqlite', APP_DB_NAME: './app.db' },
    'APP_',
    { driver: 'sqlite', path: './app.db' },
  ],
  [
    'the driver said, the rest by native names',
    { DATABASE_DRIVER: 'mysql', MYSQL_HOST: 'm', PGHOST: 'p' },
    undefined,
    { driver: 'mysql', host: 'm' },
  ],
  [
    'what an orchestrator adds for a service called "db"',
    {
      DB_PORT: 'tcp://10.0.0.7:5432',
      DB_SERVICE_HOST: '10.0.0.7',
      DB_PORT_5432_TCP_ADDR: '10.0.0.7',
      PGHOST: 'p',
    },
    undefined,
    { driver: 'postgres', host: 'p' },
  ],
  ['nothing', { HOME: '/root', DATABASE_URL: '' }, undefined, {}],
])('%s', (_, env, prefix, expected) => {
  expect(loadConfig(prefix === undefined ? { env } : { env, prefix })).toEqual(expected);
});

test('two engines at once are not guessed between', () => {
  const env = { PGHOST: 'p', MYSQL_HOST: 'm' };
  expect(() => loadConfig({ env })).toThrow('postgres, mysql');
  expect(loadConfig({ env, overrides: { driver: 'postgres' } })).toEqual({
    driver: 'postgres',
    host: 'p',
  });
});

test("MongoDB's address is read, and refused by createDatabase with a hint", async () => {
  const env = { MONGODB_URI: 'mongodb://app:s%40cret@m1,m2:27018/shop?replicaSet=rs0' };
  const config = loadConfig({ env });
  expect(config).toMatchObject({
    driver: 'mongodb',
    user: 'app',
    password: 's@cret',
    database: 'shop',
    hosts: [{ host: 'm1' }, { host: 'm2', port: 27018 }],
    parameters: { replicaSet: 'rs0' },
  });
  for (const refused of [createDatabase(config), createDatabase(env.MONGODB_URI)]) {
    const error = await refused.catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ name: 'UnknownDatabaseTypeError' });
    expect((error as Error).message).toContain('"mongodb" package');
    expect((error as Error).message).not.toContain('cret');
  }
  expect(loadConfig({ env: { DATABASE_URL: 'mongodb+srv://h/d' } })).toMatchObject({
    driver: 'mongodb',
  });
});

test('overrides win, and another database takes nothing of the old address', () => {
  const env = {
    DATABASE_DRIVER: 'postgres',
    DATABASE_HOST: 'h',
    DATABASE_PASSWORD: 'p',
    DATABASE_POOL_MAX: '7',
    DATABASE_TLS: 'require',
  };
  expect(loadConfig({ env, overrides: { database: 'other', pool: { min: 1 } } })).toEqual({
    driver: 'postgres',
    host: 'h',
    password: 'p',
    database: 'other',
    tls: 'require',
    pool: { max: 7, min: 1 },
  });
  expect(loadConfig({ env, overrides: { url: 'postgres://elsewhere/d' } })).toEqual({
    url: 'postgres://elsewhere/d',
    tls: 'require',
    pool: { max: 7 },
  });
  expect(mergeConfig({ url: 'postgres://a:b@h/d' }, { driver: 'sqlite', path: 'x' })).toEqual({
    driver: 'sqlite',
    path: 'x',
  });
  expect(mergeConfig({ url: 'mariadb://h/d' }, { driver: 'mysql' })).toEqual({
    url: 'mariadb://h/d',
    driver: 'mysql',
  });
  expect(mergeConfig({ host: 'h' }, { host: undefined })).toEqual({ host: 'h' });
});

test('wrong calls are refused', () => {
  expect(() => loadConfig({ prefx: 'A' } as object)).toThrow('Did you mean "prefix"?');
  expect(() => loadConfig({ prefix: '.*' })).toThrow('prefix');
});

test('withConfig holds inside, through awaits, and nowhere else', async () => {
  const seen = await Promise.all(
    ['a', 'b'].map((database) =>
      withConfig({ database }, async () => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
        const inner = withConfig({ pool: { max: 3 } }, () => currentConfig());
        return [
          currentConfig()['database'],
          loadConfig({ env: { DATABASE_URL: 'mysql://h/d' } }),
          inner,
        ];
      }),
    ),
  );
  expect(seen).toEqual(
    ['a', 'b'].map((database) => [
      database,
      { url: 'mysql://h/d', database },
      { database, pool: { max: 3 } },
    ]),
  );
  expect(currentConfig()).toEqual({});
  expect(() =>
    withConfig({ database: 'x' }, () => {
      throw new Error('inside');
    }),
  ).toThrow('inside');
  expect(currentConfig()).toEqual({});
});
