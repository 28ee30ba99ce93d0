import { ConfigError } from '@dal/core';
import { expect, test } from 'vitest';
import { readMysqlOptions } from './mysql-options.ts';

function refusal(input: Record<string, unknown>): string {
  try {
    readMysqlOptions(input);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('The options were taken.');
}

test('defaults', () => {
  expect(readMysqlOptions({ user: 'u' })).toEqual({
    host: '127.0.0.1',
    port: 3306,
    hosts: [{ host: '127.0.0.1', port: 3306 }],
    targetSessionAttrs: 'any',
    loadBalanceHosts: false,
    socketPath: undefined,
    user: 'u',
    password: undefined,
    database: undefined,
    tls: 'prefer',
    connectTimeoutMs: 10_000,
    keepAliveDelayMs: 1_000,
    applicationName: undefined,
    readOnly: false,
    preparedStatements: 500,
    localInfile: false,
    createIfMissing: false,
    integers: 'safe',
    decimals: 'text',
    timestamps: 'date',
    json: 'parsed',
  });
});

test('a URL gives the same options, and those beside it win', () => {
  const options = readMysqlOptions({
    url: 'mariadb://me:p%40ss@db.example:3307/shop?tls=require&connectTimeoutMs=5s&readOnly=true&integers=bigint',
    database: 'other',
    port: undefined,
  });
  expect(options).toMatchObject({
    host: 'db.example',
    port: 3307,
    user: 'me',
    password: 'p@ss',
    database: 'other',
    tls: 'require',
    connectTimeoutMs: 5_000,
    readOnly: true,
    integers: 'bigint',
  });
});

test('a path as the host is a Unix socket', () => {
  expect(readMysqlOptions({ host: '/run/mysqld/mysqld.sock' }).socketPath).toBe(
    '/run/mysqld/mysqld.sock',
  );
});

test('an unknown option is refused with the likely right one', () => {
  expect(refusal({ hots: 'x' })).toContain('"host"');
  expect(refusal({ 'ssl-mode': 'REQUIRED' })).toContain('"tls"');
  expect(refusal({ url: 'mysql://h/d?prot=3' })).toContain('"port"');
});

test('a wrong value names its field', () => {
  expect(refusal({ port: 70_000 })).toContain('mysql.port');
  expect(refusal({ tls: 'requird' })).toContain('mysql.tls');
  expect(refusal({ connectTimeoutMs: 'soon' })).toContain('mysql.connectTimeoutMs');
  expect(refusal({ integers: 'exact' })).toContain('mysql.integers');
});

test('several hosts have a port each, or the common one', () => {
  const both = [
    { host: 'a', port: 3307 },
    { host: 'b', port: 3310 },
  ];
  for (const input of [
    { url: 'mysql://me@a:3307,b/d?target_session_attrs=read-write', port: 3310 },
    { host: 'a:3307, b', port: 3310, targetSessionAttrs: 'read-write' },
    { host: ['a:3307', 'b'], port: 3310, targetSessionAttrs: 'read-write' },
  ]) {
    expect(readMysqlOptions(input)).toMatchObject({
      host: 'a',
      port: 3307,
      hosts: both,
      targetSessionAttrs: 'read-write',
    });
  }
  expect(refusal({ host: ['a', 'a'] })).toContain('twice');
  expect(refusal({ host: [] })).toContain('list');
  expect(refusal({ targetSessionAttrs: 'prefer-standbye' })).toContain('"prefer-standby"');
});

test('a password never shows up in a message', () => {
  for (const input of [
    { url: 'mysql://u:s3cret@h:99999/d' },
    { url: 'mysql://u:s3cret@h/d?nope=1' },
    { password: { value: 's3cret' } },
    { url: 'mysql://u:s3cret@a,a/d' },
  ]) {
    expect(refusal(input)).not.toContain('s3cret');
  }
});
