import {
  ConfigError,
  type Database,
  type Driver,
  flag,
  schemeOf,
  UnknownDatabaseTypeError,
} from '@dal/core';
import { type DatabaseOptions, openDatabase } from '@dal/database';
import { drivers, isSchemeWord } from './driver-registry.ts';
import { asDriver } from './import-driver.ts';
import { loadConfig } from './load-config.ts';
import { poolRegistry } from './pool-registry.ts';

/** Options of the layer, and who shares the pool. */
export interface CreateOptions extends DatabaseOptions {
  /**
   * Databases with the same options, secrets included, have one pool together, which is closed with
   * the last of them. Name, tags and timeouts may differ. Default: true; a database in memory is
   * never shared.
   */
  readonly shared?: boolean;
}

/** Options of the layer, and beside them whatever the driver knows (`host`, `user`, `path`, ...). */
export interface DatabaseConfig extends CreateOptions {
  /** `scheme://user:password@host:port/database`. Names the driver too when `driver` is absent. */
  readonly url?: string;
  /** The name of a driver, such as `postgres`, or the driver itself. */
  readonly driver?: string | Driver;
  readonly [driverOption: string]: unknown;
}

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
  config?: string | DatabaseConfig,
  options?: CreateOptions,
): Promise<Database>;
export async function createDatabase(
  driver: string,
  config: DatabaseConfig,
  options?: CreateOptions,
): Promise<Database>;
export async function createDatabase(
  first?: string | DatabaseConfig,
  second: CreateOptions | DatabaseConfig = {},
  third: CreateOptions = {},
): Promise<Database> {
  if (first === undefined) return open(fromEnvironment(), second);
  if (typeof first !== 'string') return open(first, second);
  if (schemeOf(first) !== undefined) return open({ url: first }, second);
  return open({ ...second, driver: first }, third);
}

async function open(config: DatabaseConfig, options: CreateOptions): Promise<Database> {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw wrongConfig('A database needs a URL or an object of options.');
  }
  const { driver, shared, ...rest } = { ...config, ...options };
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

function fromEnvironment(): DatabaseConfig {
  const options = loadConfig();
  if (options.url !== undefined || options.driver !== undefined) return options;
  throw wrongConfig(
    'The environment names no database. Set DATABASE_URL, such as "postgres://user@host/database", or DATABASE_DRIVER with DATABASE_HOST and so on; or give createDatabase() a URL.',
  );
}

function wrongConfig(message: string): ConfigError {
  return new ConfigError(message, { code: 'DAL_CONFIG_VALUE', kind: 'usage' });
}
