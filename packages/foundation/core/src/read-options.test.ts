import { expect, test } from 'vitest';
import { duration, flag, integer, oneOf, readOptions, text } from './read-options.ts';

const readers = { host: text, port: integer(1, 65_535), connectTimeoutMs: duration, echo: flag };

test('known options are read and given their type', () => {
  const input = { host: 'db', port: '5432', connectTimeoutMs: '2s', echo: 'false' };
  expect(readOptions('options', input, readers)).toEqual({
    host: 'db',
    port: 5432,
    connectTimeoutMs: 2_000,
    echo: false,
  });
});

test('an unknown option is refused with the likely right one', () => {
  expect(() => readOptions('options', { hots: 'db' }, readers)).toThrow(
    'Unknown option "hots" in options. Did you mean "host"?',
  );
  expect(() => readOptions('options', { connect_timeout: 1 }, readers)).toThrow(
    'Did you mean "connectTimeoutMs"?',
  );
});

test("a name from another library leads to this one's", () => {
  expect(() => readOptions('pool', { poolSize: 5 }, { max: text }, { poolSize: 'max' })).toThrow(
    'Did you mean "max"?',
  );
});

test('an option that resembles nothing gets the list of known ones', () => {
  expect(() => readOptions('options', { zzzzzzzzzz: 1 }, readers)).toThrow(
    'Known options: host, port, connectTimeoutMs, echo.',
  );
});

test.each([
  ['port', 0],
  ['port', '70000'],
  ['port', 1.5],
  ['host', 7],
  ['echo', 'yes'],
  ['connectTimeoutMs', null],
])('a wrong value for %s names the option, never the value', (key, value) => {
  const read = (): unknown => readOptions('options', { [key]: value }, readers);
  expect(read).toThrow(`options.${key}`);
  if (typeof value === 'string') expect(read).not.toThrow(value);
});

test("names of Object's own members are not options", () => {
  expect(() => readOptions('options', { constructor: 1 }, readers)).toThrow('Unknown option');
  expect(() => readOptions('options', JSON.parse('{"__proto__": 1}'), readers)).toThrow(
    'Unknown option',
  );
});

test('a word is one of those listed, or the near one is named', () => {
  expect(oneOf('prefer', 'require')('require', 'tls')).toBe('require');
  expect(() => oneOf('prefer', 'require')('required', 'tls')).toThrow('Did you mean "require"?');
});
