import { expect, test } from 'vitest';
import { readUrl, schemeOf } from './connection-url.ts';

test('every part is read and decoded', () => {
  expect(
    readUrl('postgres://us%40er:p%2Fw%3A@db.example:5433/my%20db?sslmode=require&a=b'),
  ).toEqual({
    scheme: 'postgres:',
    user: 'us@er',
    password: 'p/w:',
    hosts: [{ host: 'db.example', port: 5433 }],
    database: 'my db',
    parameters: { sslmode: 'require', a: 'b' },
  });
});

test.each([
  ['postgres://a,b:6000/x', [{ host: 'a' }, { host: 'b', port: 6000 }]],
  ['mysql://[::1]:3307/x', [{ host: '::1', port: 3307 }]],
  ['postgres:///x', []],
  ['postgres://%2Fvar%2Frun/x', [{ host: '/var/run' }]],
])('hosts of %s', (url, hosts) => {
  expect(readUrl(url).hosts).toEqual(hosts);
});

test.each([
  ['sqlite::memory:', ':memory:'],
  ['sqlite:data/app.db', 'data/app.db'],
  ['sqlite:///abs/app.db', 'abs/app.db'],
])('the path of %s is %s', (url, path) => {
  expect(readUrl(url).database).toBe(path);
});

test.each([
  'not a url',
  '',
  'postgres://user:geheim@host:99999/db',
  'postgres://user:ge%heim@host/db',
  'postgres://user:geheim@a:b:c/db',
])('%s is refused without showing a password', (url) => {
  expect(() => readUrl(url)).toThrow(/URL/);
  expect(() => readUrl(url)).not.toThrow(/geheim|heim/);
});

test('the scheme is read in any case', () => {
  expect(schemeOf('PostgreS://x')).toBe('postgres:');
  expect(schemeOf('just text')).toBeUndefined();
});
