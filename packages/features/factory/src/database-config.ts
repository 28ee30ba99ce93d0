import { inspect } from 'node:util';
import {
  ConfigError,
  configHash,
  DATABASE_OPTION_NAMES,
  redactOptions,
  text,
  wrongOption,
} from '@dal/core';
import { addressOf, type ConfigAddress } from './config-address.ts';
import { asOptions, type ConfigOptions, optionsOf } from './config-options.ts';
import { drivers } from './driver-registry.ts';
import { asDriver } from './import-driver.ts';
import { loadConfig, type LoadConfigOptions } from './load-config.ts';
import { mergeConfig } from './merge-config.ts';

/** What a `DatabaseConfig` is made of. */
export interface DatabaseConfigOptions extends ConfigOptions {
  /** Another word for `name`. */
  readonly alias?: string;
}

/**
 * The configuration of a database as one thing, which never changes and never shows a secret, however
 * it is printed. `createDatabase`, `createManager`, `loadConfig` and `withConfig` take it wherever they
 * take options.
 *
 * @example
 * const config = new DatabaseConfig({ driver: 'postgres', host: 'db', database: 'shop', env: 'prod' });
 * await using db = await createDatabase(config);
 * await poolRegistry.close(config.hash());
 */
export class DatabaseConfig {
  readonly #options: ConfigOptions;
  readonly #address: ConfigAddress;

  /**
   * @param given a URL, options, or another configuration
   * @param over options that win over the first ones; one that names another database by its URL or
   *   driver takes nothing of their address, as `withConfig` does
   * @throws ConfigError for something that is none, a URL that can't be read, or an alias beside
   *   another name. The driver's own options are checked where the database is opened.
   */
  constructor(
    given: string | DatabaseConfigOptions | DatabaseConfig,
    over: DatabaseConfigOptions = {},
  ) {
    const below = read(typeof given === 'string' ? { url: given } : given);
    this.#options = guarded(mergeConfig(below, read(over)));
    this.#address = addressOf(this.#options);
    Object.defineProperties(this, {
      [asOptions]: { value: this.#options },
      [inspect.custom]: {
        value: (_depth: number, settings: object) =>
          `DatabaseConfig ${inspect(this.toJSON(), settings)}`,
      },
    });
  }

  /** The environment's configuration, see {@link loadConfig}. */
  static load(options: LoadConfigOptions = {}): DatabaseConfig {
    return new DatabaseConfig(loadConfig(options));
  }

  /** All options, the password included, for who has to pass them on. Frozen; printed without secrets. */
  config(): ConfigOptions {
    return this.#options;
  }

  /** The database's name on its server, or the file; undefined: the driver's default. */
  database(): string | undefined {
    return this.#address.database;
  }

  /** The name in messages, logs and metrics. Default: the driver's name, as for `db.name`. */
  alias(): string | undefined {
    return this.#options.name ?? this.#driverName();
  }

  /** The first one, where there are several; undefined: the driver's default, or a file. */
  host(): string | undefined {
    return this.#address.hosts[0]?.host || undefined;
  }

  /** The first host's; undefined: the driver's default. */
  port(): number | undefined {
    return this.#address.hosts[0]?.port ?? this.#address.port;
  }

  /** What the database is for, such as `prod`; undefined when nobody said so. */
  env(): string | undefined {
    return this.#options.env;
  }

  /**
   * The same as `db.configHash`, and the same in every process: made of everything that says which
   * database this is and how it is spoken to, and never of a password. Pools are told apart by the
   * password too, so that a wrong one never gets what the right one opened.
   *
   * A driver from elsewhere has to be registered before, or to be called like its scheme.
   *
   * @throws ConfigError when neither `url` nor `driver` says which engine it is
   */
  hash(): string {
    const driver = this.#driverName();
    if (driver !== undefined) return configHash(driver, identifying(this.#options));
    throw new ConfigError(
      'A configuration without a driver has no hash yet. Give a URL, or driver: "postgres".',
      { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
    );
  }

  toString(): string {
    const names = [this.alias(), this.env()].filter((word) => word !== undefined);
    return `DatabaseConfig(${[...names, this.#hashIfAny()].filter(Boolean).join(' ')})`;
  }

  toJSON(): Record<string, unknown> {
    const hash = this.#hashIfAny();
    return { ...shown(this.#options), ...(hash === undefined ? {} : { hash }) };
  }

  #driverName(): string | undefined {
    const { driver } = this.#options;
    if (typeof driver === 'object') return driver.name;
    return this.#address.word === undefined ? undefined : drivers.nameOf(this.#address.word);
  }

  #hashIfAny(): string | undefined {
    return this.#driverName() === undefined ? undefined : this.hash();
  }
}

/** Options that tell nothing of which database it is. */
const BESIDE: ReadonlySet<string> = new Set([...DATABASE_OPTION_NAMES, 'driver', 'shared', 'env']);

function identifying(options: ConfigOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !BESIDE.has(key)));
}

/** Checks what this object itself understands, and gives the name its one name. */
function read(given: DatabaseConfigOptions | DatabaseConfig): ConfigOptions {
  const held: DatabaseConfigOptions = optionsOf(given);
  if (typeof held !== 'object' || held === null || Array.isArray(held)) {
    throw wrongOption('config', 'a URL or an object of options', given);
  }
  const { alias, ...options } = held;
  if (alias !== undefined && options.name !== undefined && alias !== options.name) {
    throw new ConfigError('config.alias and config.name are the same option; give one of them.', {
      kind: 'usage',
      code: 'DAL_CONFIG_VALUE',
    });
  }
  const named = alias === undefined ? options : { ...options, name: alias };
  for (const key of ['url', 'name', 'env']) {
    if (named[key] !== undefined) text(named[key], `config.${key}`);
  }
  const { driver } = named;
  if (driver !== undefined && typeof driver !== 'string') asDriver(driver, 'config.driver');
  return named;
}

/** A frozen copy, which prints itself without secrets; they are all there for who takes it apart. */
function guarded(options: ConfigOptions): ConfigOptions {
  const copy: ConfigOptions = Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      key,
      // A driver is itself, whatever else it can do.
      key === 'driver' ? value : frozenCopy(value),
    ]),
  );
  const print = {
    toJSON: { value: () => shown(copy) },
    [inspect.custom]: {
      value: (_depth: number, settings: object) => inspect(shown(copy), settings),
    },
  };
  return Object.freeze(Object.defineProperties(copy, print));
}

function frozenCopy(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, frozenCopy(item)] as const);
  return Object.freeze(Object.fromEntries(entries));
}

function shown({ driver, ...options }: ConfigOptions): Record<string, unknown> {
  const word = typeof driver === 'object' ? driver.name : driver;
  return redactOptions({ ...(word === undefined ? {} : { driver: word }), ...options });
}
