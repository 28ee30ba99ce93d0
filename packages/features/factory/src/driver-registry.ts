import { ConfigError, type Driver, suggest, UnknownDatabaseTypeError } from '@dal/core';
import { KNOWN_PACKAGES, STRANGERS } from './known-databases.ts';
import { asDriver, importDriver } from './import-driver.ts';

/** Finds the driver for a database: registered ones, then known packages, then the naming rule. */
export class DriverRegistry {
  readonly #registered = new Map<string, Driver | string>();

  /** The driver answers to its name and its schemes from now on, in place of whatever did before. */
  registerDriver(driver: Driver): void {
    const checked = asDriver(driver, 'registerDriver()');
    for (const word of [checked.name, ...checked.schemes]) {
      this.#registered.set(wordOf(word, 'registerDriver()'), checked);
    }
  }

  /** A scheme is answered by a driver, or by a package that exports one as `driver`. */
  registerScheme(scheme: string, target: string | Driver): void {
    const word = wordOf(scheme, 'registerScheme()');
    if (typeof target === 'string' && target.trim() === '') {
      throw new ConfigError('registerScheme() needs a driver or the name of a package.', {
        code: 'DAL_CONFIG_VALUE',
        kind: 'usage',
      });
    }
    this.#registered.set(
      word,
      typeof target === 'string' ? target : asDriver(target, 'registerScheme()'),
    );
  }

  /**
   * The driver for a scheme or a driver's name, imported when it is a package's.
   *
   * @throws UnknownDatabaseTypeError when nobody answers to the word
   * @throws ConfigError `DAL_DRIVER_MISSING` when the package is not installed
   */
  async find(scheme: string): Promise<Driver> {
    const word = scheme.toLowerCase().replace(/:$/, '');
    const registered = this.#registered.get(word);
    if (registered !== undefined && typeof registered !== 'string') return registered;
    const stranger = lookUp(STRANGERS, word);
    const certain = registered ?? lookUp(KNOWN_PACKAGES, word);
    if (certain === undefined && stranger !== undefined) {
      throw unknownType(`No driver for "${word}:". ${stranger}`);
    }
    const driver = await importDriver(certain ?? conventionalPackage(word));
    if (driver !== undefined) return driver;
    throw certain === undefined ? this.#unknown(word) : missing(word, certain);
  }

  /** What the driver for a word is called, or will be once it is imported. */
  nameOf(scheme: string): string {
    const word = scheme.toLowerCase().replace(/:$/, '');
    const found = this.#registered.get(word) ?? lookUp(KNOWN_PACKAGES, word);
    if (typeof found === 'object') return found.name;
    return found?.startsWith(OURS) ? found.slice(OURS.length) : word;
  }

  #unknown(word: string): UnknownDatabaseTypeError {
    const known = [...new Set([...this.#registered.keys(), ...Object.keys(KNOWN_PACKAGES)])];
    const likely = suggest(word, known);
    const meant = likely === undefined ? '' : ` Did you mean "${likely}:"?`;
    const schemes = known.map((name) => `${name}:`).join(', ');
    return unknownType(
      `No driver for "${word}:".${meant} Known: ${schemes}. A driver from elsewhere is found when ` +
        `its package is called "${conventionalPackage(word)}", or after registerDriver(driver) ` +
        'or registerScheme(scheme, package).',
    );
  }
}

/** What `createDatabase` looks into. */
export const drivers: DriverRegistry = new DriverRegistry();

/**
 * Brings a driver to `createDatabase`: it answers to its own name and schemes from now on, before
 * any other.
 *
 * @throws ConfigError when the object is no driver
 */
export function registerDriver(driver: Driver): void {
  drivers.registerDriver(driver);
}

/**
 * Says who answers to a URL scheme: a driver, or the name of a package that exports one as `driver`
 * and is imported when it is needed.
 *
 * @example
 * registerScheme('cockroach:', '@dal/postgres');
 * @throws ConfigError
 */
export function registerScheme(scheme: string, target: string | Driver): void {
  drivers.registerScheme(scheme, target);
}

const OURS = '@dal/';

/** Third parties are found by name: `oracle:` by `@dal/oracle`. */
function conventionalPackage(word: string): string {
  return OURS + word;
}

/** A word that can stand in front of a URL; what else there is may be a secret and is not shown. */
export function isSchemeWord(word: string): boolean {
  return /^[a-z][a-z0-9+.-]{0,31}$/i.test(word);
}

function wordOf(scheme: unknown, where: string): string {
  const word = typeof scheme === 'string' ? scheme.toLowerCase().replace(/:$/, '') : '';
  if (isSchemeWord(word)) return word;
  throw new ConfigError(
    `${where} needs schemes such as "oracle:": a letter, then letters, digits, "+", "." or "-".`,
    { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
  );
}

function lookUp(table: Readonly<Record<string, string>>, word: string): string | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

function missing(word: string, packageName: string): ConfigError {
  return new ConfigError(
    `"${word}:" needs the package "${packageName}", which is not installed here: npm install ${packageName}`,
    { code: 'DAL_DRIVER_MISSING', kind: 'usage' },
  );
}

function unknownType(message: string): UnknownDatabaseTypeError {
  return new UnknownDatabaseTypeError(message, {
    code: 'DAL_UNKNOWN_DATABASE_TYPE',
    kind: 'usage',
  });
}
