import { expect, test } from 'vitest';
import { readOptions } from './read-options.ts';
import {
  completeServerOptions,
  SERVER_ALIASES,
  type ServerOptions,
  serverReaders,
} from './server-options.ts';

const defaults = { host: 'localhost', port: 7_000, user: 'nobody' };

function read(input: Readonly<Record<string, unknown>>): ServerOptions {
  const given = readOptions('oracle', input, serverReaders, SERVER_ALIASES);
  return completeServerOptions('oracle', given, defaults);
}

test('everything has a default', () => {
  expect(read({})).toMatchObject({
    host: 'localhost',
    port: 7_000,
    hosts: [{ host: 'localhost', port: 7_000 }],
    targetSessionAttrs: 'any',
    tls: 'prefer',
    connectTimeoutMs: 10_000,
    readOnly: false,
  });
  expect(read({}).user).not.toBe('');
});

test('several hosts share the port that none of them names', () => {
  const { host, port, hosts } = read({ host: ['a:1', 'b'], port: 2 });
  expect([host, port]).toEqual(['a', 1]);
  expect(hosts).toEqual([
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
  ]);
});

test.each([
  [{ hostname: 'x' }, 'Did you mean "host"?'],
  [{ dbname: 'x' }, 'Did you mean "database"?'],
  [{ host: ['a', 'a'] }, 'oracle.host names the same server twice'],
  [{ port: 0 }, 'oracle.port'],
  [{ readOnly: true, targetSessionAttrs: 'read-write' }, 'oracle.readOnly'],
])('%j is refused', (input, message) => {
  expect(() => read(input)).toThrow(message);
});
