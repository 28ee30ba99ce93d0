import { resolve } from 'node:path';
import { ConfigError } from '@dal/core';
import { expect, test } from 'vitest';
import { readSqliteOptions } from './sqlite-options.ts';

test('a path alone gets the defaults', () => {
  expect(readSqliteOptions({ path: './x.db' })).toEqual({
    path: resolve('./x.db'),
    runsIn: 'process',
    readOnly: false,
    createIfMissing: true,
    busyTimeoutMs: 5_000,
    connectTimeoutMs: 10_000,
    journalMode: 'wal',
    synchronous: 'normal',
    foreignKeys: true,
    pragmas: {},
    preparedStatements: 100,
    integers: 'safe',
    decimals: 'text',
    timestamps: 'date',
    json: 'parsed',
    memory: undefined,
  });
});

test('a database in memory runs in a process too, and keeps count of its openings', () => {
  const settings = readSqliteOptions({ url: 'sqlite::memory:' });
  expect(settings).toMatchObject({ path: ':memory:', runsIn: 'process', memory: { opened: 0 } });
});

test('options stand in the URL or beside it, and beside it wins', () => {
  const settings = readSqliteOptions({
    url: 'sqlite:./x.db?readOnly=true&busyTimeoutMs=2s&foreignKeys=0',
    busyTimeoutMs: '3s',
  });
  expect(settings).toMatchObject({ readOnly: true, busyTimeoutMs: 3_000, foreignKeys: false });
});

test.each([
  [{}, /sqlite::memory:/],
  [{ url: 5 }, /sqlite\.url/],
  [{ path: '' }, /sqlite\.path/],
  [{ path: 'a\0b' }, /sqlite\.path/],
  [{ path: 'x', filename: 'y' }, /Did you mean "path"/],
  [{ path: 'x', readonly: true }, /Did you mean "readOnly"/],
  [{ path: 'x', journalMode: 'wall' }, /sqlite\.journalMode.*"wal"/],
  [{ path: 'x', runsIn: 'thread' }, /process, inline/],
  [{ path: 'x', busyTimeoutMs: -1 }, /sqlite\.busyTimeoutMs/],
  [{ path: 'x', preparedStatements: 0 }, /sqlite\.preparedStatements/],
  [{ path: 'x', pragmas: { 'a; DROP TABLE t': 1 } }, /sqlite\.pragmas/],
  [{ path: 'x', pragmas: { cache_size: '1; DROP TABLE t' } }, /sqlite\.pragmas\.cache_size/],
  [{ path: 'x', pragmas: [] }, /sqlite\.pragmas/],
])('%j is refused by name', (input, words) => {
  expect(() => readSqliteOptions(input)).toThrow(ConfigError);
  expect(() => readSqliteOptions(input)).toThrow(words);
});
