import { expect, test } from 'vitest';
import { configHash, secretTag } from './config-hash.ts';

const options = {
  host: 'db',
  port: 5432,
  user: 'app',
  password: 'one',
  tls: { key: 'k', ca: 'c' },
};

test('the hash is the same for the same configuration, in any order', () => {
  const { host, ...rest } = options;
  expect(configHash('postgres', options)).toBe(configHash('postgres', { ...rest, host }));
  expect(configHash('postgres', options)).toMatch(/^[0-9a-f]{16}$/);
});

test('the hash is the same in every process', () => {
  expect(configHash('postgres', { host: 'db', port: 5432 })).toBe('cb4bae8807543fc4');
});

test('secrets are not in the hash, but tell configurations apart in this process', () => {
  const other = { ...options, password: 'two' };
  expect(configHash('postgres', options)).toBe(configHash('postgres', other));
  expect(secretTag(options)).not.toBe(secretTag(other));
  expect(secretTag(options)).toBe(secretTag({ ...options }));
});

test('a password in a URL counts as a secret too', () => {
  const [a, b] = ['postgres://u:one@h/d', 'postgres://u:two@h/d'];
  expect(configHash('postgres', { url: a })).toBe(configHash('postgres', { url: b }));
  expect(secretTag({ url: a })).not.toBe(secretTag({ url: b }));
});

test('password functions are told apart by identity', () => {
  const [first, second] = [(): string => 'x', (): string => 'x'];
  expect(secretTag({ password: first })).not.toBe(secretTag({ password: second }));
  expect(secretTag({ password: first })).toBe(secretTag({ password: first }));
});

test('everything else is in the hash', () => {
  expect(configHash('postgres', options)).not.toBe(configHash('mysql', options));
  expect(configHash('postgres', options)).not.toBe(configHash('postgres', { ...options, port: 1 }));
});
