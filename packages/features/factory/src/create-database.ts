import {
  ConfigError,
  type Database,
  type Driver,
  flag,
  schemeOf,
  UnknownDatabaseTypeError,
} from '@dal/core';
import { openDatabase } from '@dal/database';
import { type ConfigOptions, type CreateOptions, optionsOf } from './config-options.ts';
import type { DatabaseConfig } from './database-config.ts';
import { drivers, isSchemeWord } from './driver-registry.ts';
import { asDriver } from './import-driver.ts';
import { loadConfig } from './load-config.ts';
import { poolRegistry } from './pool-registry.ts';

/**
 * Opens the database that a URL or an object of options names, with the driver that is installed for
 * it. Without arguments the configuration is that of `loadConfig()`: the environment's
 * (`DATABASE_URL`, or `DATABASE_DRIVER`, `DATABASE_HOST` and so on), and what `withConfig` says.
 * Nothing is sent before the first statement, or `connect()`.
 *
 * @example
 * await using db = await createDatabase('postgres://app@localhost/shop', { pool: { max: 20 } });
 * @example
 * const db = await createDatabase('mysql', { host: 'localhost', user: 'app', database: 'shop' });
 * @throws UnknownDatabaseTypeError when no driver answers to the scheme or name
 * @throws ConfigError `DAL_DRIVER_MISSING` with the package to install; others name the option
 */
export async function createDatabase(
  config?: string | ConfigOptions | DatabaseConfig,
  options?: CreateOptions,
): Promise<Database>;
export async function createDatabase(
  driver: string,
  config: ConfigOptions | DatabaseConfig,
  options?: CreateOptions,
): Promise<Database>;
export async function createDatabase(
  first?: string | ConfigOptions | DatabaseConfig,
  second: CreateOptions | ConfigOptions | DatabaseConfig = {},
  third: CreateOptions = {},
): Promise<Database> {
  const beside = optionsOf(second);
  if (first === undefined) return open(fromEnvironment(), beside);
  if (typeof first !== 'string') return open(optionsOf(first), beside);
  if (schemeOf(first) !== undefined) return open({ url: first }, beside);
  return open({ ...beside, driver: first }, third);
}

async function open(config: ConfigOptions, options: CreateOptions): Promise<Database> {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw wrongConfig('A database needs a URL or an object of options.');
  }
  const { driver, shared, env: _label, ...rest }: ConfigOptions = { ...config, ...options };
  const pools = shared === undefined || flag(shared, 'options.shared') ? poolRegistry : undefined;
  return openDatabase(await driverFor(driver, rest.url), rest, {}, pools);
}

async function driverFor(driver: unknown, url: unknown): Promise<Driver> {
  if (driver !== undefined && typeof driver !== 'string') return asDriver(driver, 'driver');
  const word = driver ?? (typeof url === 'string' ? schemeOf(url) : undefined);
  if (word === undefined) {
    throw wrongConfig(
      'Which database? Give a URL with a scheme, such as "postgres://user@host/database" or "sqlite:./app.db", or options with driver: "postgres".',
    );
  }
  // Anything longer or stranger may be a URL that was written wrongly, with a password in it.
  if (!isSchemeWord(word.replace(/:$/, ''))) {
    throw new UnknownDatabaseTypeError(
      'This is neither a URL nor the name of a driver. A URL begins with a scheme: "postgres://user@host/database", "sqlite:./app.db".',
      { code: 'DAL_UNKNOWN_DATABASE_TYPE', kind: 'usage' },
    );
  }
  return drivers.find(word);
}

function fromEnvironment(): ConfigOptions {
  const options = loadConfig();
  if (options.url !== undefined || options.driver !== undefined) return options;
  throw wrongConfig(
    'The environment names no database. Set DATABASE_URL, such as "postgres://user@host/database", or DATABASE_DRIVER with DATABASE_HOST and so on; or give createDatabase() a URL.',
  );
}

function wrongConfig(message: string): ConfigError {
  return new ConfigError(message, { code: 'DAL_CONFIG_VALUE', kind: 'usage' });
}
