import { expect, test } from 'vitest';
import { optionsFromEnvironment } from './environment.ts';

test('variables become options, pool options their own group', () => {
  const env = {
    DATABASE_HOST: 'db',
    DATABASE_PORT: '5433',
    DATABASE_PASSWORD: '0815',
    DATABASE_CONNECT_TIMEOUT_MS: '2s',
    DATABASE_POOL_MAX: '20',
    DATABASE_USER: '',
    OTHER: 'x',
  };
  expect(optionsFromEnvironment('DATABASE', env)).toEqual({
    host: 'db',
    port: 5433,
    password: '0815',
    connectTimeoutMs: '2s',
    pool: { max: 20 },
  });
});

test('the prefix tells databases apart', () => {
  expect(
    optionsFromEnvironment('ORDERS', { ORDERS_URL: 'mysql://h/d', DATABASE_URL: 'x' }),
  ).toEqual({ url: 'mysql://h/d' });
});
