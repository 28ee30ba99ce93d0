import { expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { hostAddresses, nameOfHost, readHostList } from './host-list.ts';

test.each([
  ['db', [{ host: 'db' }]],
  ['db:5433', [{ host: 'db', port: 5433 }]],
  ['a:1, b', [{ host: 'a', port: 1 }, { host: 'b' }]],
  [
    ['a:1', 'b'],
    [{ host: 'a', port: 1 }, { host: 'b' }],
  ],
  ['::1', [{ host: '::1' }]],
  ['[::1]:5433', [{ host: '::1', port: 5433 }]],
  ['[::1]', [{ host: '::1' }]],
  ['/run/postgresql', [{ host: '/run/postgresql' }]],
  ['/tmp/a:b.sock', [{ host: '/tmp/a:b.sock' }]],
])('reads %j', (value, expected) => {
  expect(readHostList(value, 'test.host')).toEqual(expected);
});

test.each([
  [[]],
  [5],
  [[5]],
  [Array.from({ length: 33 }, (_, place) => `h${place}`)],
  ['db:99999'],
])('refuses %j', (value) => {
  expect(() => readHostList(value, 'test.host')).toThrow(ConfigError);
});

test('each host has a port, and none is there twice', () => {
  const hosts = readHostList('a:1,b,', 'test.host');
  const addresses = hostAddresses(hosts, 7, 'here', 'test.host');
  expect(addresses.map(nameOfHost)).toEqual(['a:1', 'b:7', 'here:7']);
  expect(nameOfHost({ host: '::1', port: 5432 })).toBe('[::1]:5432');
  expect(() => hostAddresses(readHostList('a,a:7', 'x'), 7, 'here', 'test.host')).toThrow(
    'test.host names the same server twice',
  );
});
