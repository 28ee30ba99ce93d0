import { ConfigError } from '@dal/core';
import { describe, expect, test } from 'vitest';
import { readPostgresOptions } from './postgres-options.ts';
import { startupParameters } from './startup-parameters.ts';

const read = readPostgresOptions;
const fromUrl = (url: string): ReturnType<typeof read> => read({ url });

test('everything has a default', () => {
  expect(read({ user: 'me' })).toEqual({
    host: 'localhost',
    port: 5432,
    hosts: [{ host: 'localhost', port: 5432 }],
    targetSessionAttrs: 'any',
    loadBalanceHosts: false,
    user: 'me',
    password: undefined,
    database: 'me',
    tls: 'prefer',
    tlsNegotiation: 'postgres',
    channelBinding: 'prefer',
    applicationName: 'dal',
    options: undefined,
    connectTimeoutMs: 10_000,
    keepAliveDelayMs: 1_000,
    readOnly: false,
    createIfMissing: false,
    pooler: 'none',
    preparedStatements: undefined,
    values: {},
  });
});

describe('a URL', () => {
  test('gives host, port, login and database', () => {
    expect(fromUrl('postgresql://a%40b:p%3Aw@db.example:6543/shop')).toMatchObject({
      user: 'a@b',
      password: 'p:w',
      host: 'db.example',
      port: 6543,
      database: 'shop',
    });
  });

  test("speaks libpq's words", () => {
    const url =
      'postgres://me@db/shop?sslmode=verify-full&application_name=web&connect_timeout=3&options=-c%20search_path%3Da&keepalives_idle=5&channel_binding=require&client_encoding=utf8&target_session_attrs=any';
    expect(fromUrl(url)).toMatchObject({
      tls: 'verify-full',
      applicationName: 'web',
      connectTimeoutMs: 3_000,
      options: '-c search_path=a',
      keepAliveDelayMs: 5_000,
      channelBinding: 'require',
    });
  });

  test('may name a Unix socket, in two ways', () => {
    expect(fromUrl('postgres://%2Frun%2Fpg/shop').host).toBe('/run/pg');
    expect(fromUrl('postgres:///shop?host=/run/pg&port=6000')).toMatchObject({
      host: '/run/pg',
      port: 6000,
      database: 'shop',
    });
  });

  test('takes options of ours too, and options beside it win', () => {
    expect(fromUrl('postgres://me@db/shop?pooler=transaction&integers=bigint')).toMatchObject({
      pooler: 'transaction',
      values: { integers: 'bigint' },
    });
    expect(
      read({ url: 'postgres://me@db/shop', database: 'other', host: undefined }),
    ).toMatchObject({
      database: 'other',
      host: 'db',
    });
  });

  test('names several hosts in every way of libpq', () => {
    const hosts = [
      { host: 'a', port: 5433 },
      { host: '::1', port: 5432 },
    ];
    for (const url of [
      'postgres://me@a:5433,[::1]:5432/shop',
      'postgres://me@/shop?host=a,::1&port=5433,5432',
      'postgres://me@/shop?host=a:5433,[::1]',
    ]) {
      expect(fromUrl(url)).toMatchObject({ host: 'a', port: 5433, hosts });
    }
    expect(
      fromUrl('postgres://a,b/shop?target_session_attrs=prefer-standby&load_balance_hosts=random'),
    ).toMatchObject({ targetSessionAttrs: 'prefer-standby', loadBalanceHosts: true });
    expect(read({ host: ['a', 'b:6000'], port: 7000 }).hosts).toEqual([
      { host: 'a', port: 7000 },
      { host: 'b', port: 6000 },
    ]);
    expect(read({ host: '::1' }).hosts).toEqual([{ host: '::1', port: 5432 }]);
  });

  test.for([
    ['postgres://a,a:5432/shop', /twice/],
    ['postgres://me@db/shop?host=a,b&port=1,2,3', /one port for each/],
    ['postgres://me@db/shop?sslmode=requre', /Did you mean "require"/],
    ['postgres://me@db/shop?client_encoding=latin1', /UTF8/],
    ['postgres://me@db/shop?target_session_attrs=master', /one of: any, read-write/],
    ['postgres://me@db/shop?readOnly=1&target_session_attrs=read-write', /"primary"/],
    ['postgres://me@db/shop?sslrootcert=/nowhere/ca.pem', /sslrootcert names can't be read/],
    ['postgres://me@db/shop?connect_timeout=soon', /connect_timeout/],
    ['postgres://me@db/shop?aplication_name=x', /"applicationName"/],
    ['mysql://me@db/shop', /postgres:\/\//],
  ] as const)('%s is refused', ([url, words]) => {
    expect(() => fromUrl(url)).toThrow(ConfigError);
    expect(() => fromUrl(url)).toThrow(words);
  });

  test('never shows its password', () => {
    for (const url of ['postgres://me:hush@a,a/x', 'postgres://me:hush@db:99999/x?ssl=1']) {
      expect(() => fromUrl(url)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('hush') }),
      );
    }
  });
});

describe('options that do not fit', () => {
  test.for([
    [{ prot: 1 }, /Unknown option "prot" in postgres. Did you mean "port"/],
    [{ connectionTimeoutMillis: 1 }, /Did you mean "connectTimeoutMs"/],
    [{ ssl: true }, /Did you mean "tls"/],
    [{ port: 70_000 }, /postgres\.port/],
    [{ password: 7 }, /postgres\.password/],
    [{ connectTimeoutMs: 0 }, /longer than 0/],
    [{ database: 'a\0b' }, /zero byte/],
    [{ readOnly: true, pooler: 'transaction' }, /readOnly/],
    [{ tlsNegotiation: 'direct' }, /"require" or stronger/],
    [{ channelBinding: 'require', tls: 'disable' }, /needs TLS/],
  ] as const)('%o', ([options, words]) => {
    expect(() => read(options)).toThrow(words);
  });
});

describe('the login', () => {
  test('sets the session up without a round trip', () => {
    expect(startupParameters(read({ user: 'me', readOnly: true, options: '-c a=b' }))).toEqual({
      user: 'me',
      database: 'me',
      application_name: 'dal',
      TimeZone: 'UTC',
      DateStyle: 'ISO',
      extra_float_digits: '1',
      bytea_output: 'hex',
      default_transaction_read_only: 'on',
      options: '-c a=b',
    });
  });

  test('says to a pooler only what poolers know', () => {
    expect(Object.keys(startupParameters(read({ user: 'me', pooler: 'transaction' })))).toEqual([
      'user',
      'database',
      'application_name',
      'TimeZone',
      'DateStyle',
    ]);
  });
});
