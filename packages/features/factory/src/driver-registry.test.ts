import { ConfigError, type Driver, UnknownDatabaseTypeError } from '@dal/core';
import { expect, test } from 'vitest';
import { DriverRegistry } from './driver-registry.ts';

const oracle = {
  name: 'oracle',
  schemes: ['oracle:', 'ora:'],
  dialect: {},
  connect: () => Promise.reject(new Error('not connected in this test')),
  classify: () => ({ kind: 'unknown' }),
} as unknown as Driver;

test('a registered driver answers to its name and to each of its schemes', async () => {
  const registry = new DriverRegistry();
  registry.registerDriver(oracle);
  for (const word of ['oracle', 'oracle:', 'ora:', 'ORA:']) {
    expect(await registry.find(word)).toBe(oracle);
  }
});

test('a registered scheme wins over the driver that DAL would take', async () => {
  const registry = new DriverRegistry();
  registry.registerScheme('mysql:', oracle);
  expect(await registry.find('mysql:')).toBe(oracle);
});

test('a mistyped scheme is answered with the likely right one', async () => {
  const error = await new DriverRegistry().find('postgrse:').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnknownDatabaseTypeError);
  expect(error).toMatchObject({ code: 'DAL_UNKNOWN_DATABASE_TYPE', kind: 'usage' });
  expect((error as Error).message).toContain('Did you mean "postgres:"?');
  expect((error as Error).message).toContain('registerDriver');
  expect((error as Error).message).toContain('@dal/postgrse');
});

test('a registered scheme is among the suggestions', async () => {
  const registry = new DriverRegistry();
  registry.registerDriver(oracle);
  await expect(registry.find('oracel:')).rejects.toThrow('Did you mean "oracle:"?');
});

test('words that objects have by nature are no schemes', async () => {
  await expect(new DriverRegistry().find('constructor')).rejects.toThrow(UnknownDatabaseTypeError);
});

test.each(['mongodb:', 'mongodb+srv:'])('%s hears that DAL is for SQL', async (scheme) => {
  await expect(new DriverRegistry().find(scheme)).rejects.toThrow('layer for SQL databases');
});

test('a stranger can still be registered', async () => {
  const registry = new DriverRegistry();
  registry.registerScheme('mongodb', oracle);
  expect(await registry.find('mongodb:')).toBe(oracle);
});

test('a package that is registered and not installed is named, with the command', async () => {
  const registry = new DriverRegistry();
  registry.registerScheme('acme:', '@acme/dal-nowhere');
  const error = await registry.find('acme:').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ code: 'DAL_DRIVER_MISSING' });
  expect((error as Error).message).toContain('npm install @acme/dal-nowhere');
});

test('what is no driver is refused when it is registered, with what it lacks', () => {
  const registry = new DriverRegistry();
  expect(() => registry.registerDriver({ name: 'half', schemes: [] } as unknown as Driver)).toThrow(
    'dialect, connect, classify missing',
  );
  expect(() => registry.registerScheme('no scheme', oracle)).toThrow('such as "oracle:"');
  expect(() => registry.registerScheme('acme:', ' ')).toThrow(ConfigError);
});

test('a package without a driver export is refused', async () => {
  const registry = new DriverRegistry();
  registry.registerScheme('core:', '@dal/core');
  await expect(registry.find('core:')).rejects.toMatchObject({ code: 'DAL_DRIVER_INVALID' });
});
