import { ConfigError, readUrl, schemeOf, suggest } from '@dal/core';
import { type ConfigWords, engineOf, EXTRACTORS, SERVER_WORDS } from './config-words.ts';
import { type ConfigOptions, optionsOf } from './config-options.ts';
import type { DatabaseConfig } from './database-config.ts';
import { mergeConfig } from './merge-config.ts';
import { currentConfig } from './with-config.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface LoadConfigOptions {
  /** Where variables are read from. Default: `process.env`. */
  readonly env?: Environment;
  /**
   * Tells databases apart: with `ORDERS`, `ORDERS_DATABASE_HOST`, `ORDERS_DB_HOST` and `ORDERS_HOST`
   * are read, in this order. Default: none, which reads `DATABASE_HOST`, `DB_HOST`, and when these
   * name no database, the engines' own names (`PGHOST`, `MYSQL_HOST`, ...).
   */
  readonly prefix?: string;
  /** Over what was read. */
  readonly overrides?: ConfigOptions | DatabaseConfig;
}

/**
 * The configuration of a database: the environment's, over it what `withConfig` says here, over it
 * `overrides`. Nothing is opened; empty when nothing names a database.
 *
 * Of MongoDB the address is read, for programs that have such a database beside; `createDatabase`
 * refuses it.
 *
 * @example
 * const orders = await createDatabase(loadConfig({ prefix: 'ORDERS' })); // ORDERS_DB_URL, ...
 * @throws ConfigError when the variables of several engines are set and nothing says which
 */
export function loadConfig(options: LoadConfigOptions = {}): ConfigOptions {
  for (const key of Object.keys(options)) {
    if (!['env', 'prefix', 'overrides'].includes(key)) throw unknownOption(key);
  }
  const { env = process.env, prefix, overrides = {} } = options;
  const above = mergeConfig(currentConfig(), optionsOf(overrides));
  const config = mergeConfig(fromEnvironment(env, prefix, above), above);
  return engineIn(config) === 'mongodb' ? mongoAddress(config) : config;
}

function fromEnvironment(
  env: Environment,
  prefix: string | undefined,
  above: ConfigOptions,
): ConfigOptions {
  const front = frontOf(env, prefix);
  const named = takeWords(env, front, SERVER_WORDS);
  const said = engineIn(above) ?? engineIn(named);
  const engine = said ?? (prefix === undefined ? nativeEngine(env) : undefined);
  const extractor =
    engine !== undefined && Object.hasOwn(EXTRACTORS, engine) ? EXTRACTORS[engine] : undefined;
  const words = extractor?.words ?? SERVER_WORDS;
  const own = { ...takeRest(env, front, words), ...takeWords(env, front, words) };
  if (prefix !== undefined || extractor === undefined || own.url !== undefined) return own;
  const native = takeNames(env, extractor.native);
  // Without a URL there is nothing else that says which engine it is.
  const isNamed = said !== undefined || native.url !== undefined;
  return { ...(isNamed || engine === undefined ? {} : { driver: engine }), ...native, ...own };
}

/** The first prefix under which something says where a database is; two are never mixed. */
function frontOf(env: Environment, prefix: string | undefined): string {
  const fronts = readPrefix(prefix);
  const ends = [...Object.values(SERVER_WORDS).flat(), ...SQLITE_WORDS];
  const found = fronts.find((front) => ends.some((end) => isSet(env[front + end])));
  return found ?? (fronts[0] as string);
}

/** The engine whose own variables are set. */
function nativeEngine(env: Environment): string | undefined {
  const found = Object.entries(EXTRACTORS)
    .filter(([, { native }]) => {
      const { url, host, path, socketPath } = takeNames(env, native);
      return [url, host, path, socketPath].some((value) => value !== undefined);
    })
    .map(([engine]) => engine);
  if (found.length < 2) return found[0];
  throw new ConfigError(
    `The environment names several databases (${found.join(', ')}). Set DATABASE_DRIVER or DATABASE_URL to say which one is meant.`,
    { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
  );
}

function readPrefix(prefix: string | undefined): readonly string[] {
  if (prefix === undefined) return ['DATABASE_', 'DB_'];
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(prefix)) {
    throw new ConfigError(
      'loadConfig.prefix must be the beginning of names of variables, such as "ORDERS".',
      { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
    );
  }
  const plain = prefix.replace(/_$/, '');
  return [`${plain}_DATABASE_`, `${plain}_DB_`, `${plain}_`];
}

/** Each option from the first of its variables that is set. */
function takeWords(env: Environment, front: string, words: ConfigWords): ConfigOptions {
  const names = Object.entries(words).map(([option, ends]) => [
    option,
    ends.map((end) => front + end),
  ]);
  return takeNames(env, Object.fromEntries(names) as ConfigWords);
}

function takeNames(env: Environment, names: ConfigWords): ConfigOptions {
  const config: Record<string, unknown> = {};
  for (const [option, candidates] of Object.entries(names)) {
    const name = candidates.find((candidate) => isSet(env[candidate]));
    if (name !== undefined) config[option] = readValue(option, env[name] ?? '');
  }
  return config;
}

/**
 * All else that has the prefix, by its name: `DB_STATEMENT_TIMEOUT_MS`, `DB_POOL_MAX`. Where the prefix
 * is the application's own, pool options only: the others may be anything.
 */
function takeRest(env: Environment, front: string, words: ConfigWords): ConfigOptions {
  const known = new Set(Object.values(words).flat());
  const isOurs = /(?:^|_)(?:DATABASE|DB)_$/.test(front);
  const options: Record<string, unknown> = {};
  const pool: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(front) || !isSet(value)) continue;
    const end = name.slice(front.length);
    if (known.has(end) || setByOrchestrator.test(end)) continue;
    if (end.startsWith('POOL_')) pool[camelCase(end.slice(5))] = readValue('pool', value);
    else if (isOurs) options[camelCase(end)] = readValue(camelCase(end), value);
  }
  return Object.keys(pool).length > 0 ? { ...options, pool } : options;
}

/** Kubernetes and Docker links describe a service called "db" in variables such as these. */
const setByOrchestrator = /^(?:SERVICE_|PORT_\d+_|ENV_)/;

/** `DB_PORT=tcp://10.0.0.7:5432` is an orchestrator's too. */
function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '' && !/^(?:tcp|udp):\/\//.test(value);
}

const SQLITE_WORDS = EXTRACTORS['sqlite']?.words['path'] ?? [];

const texts = new Set([
  'password',
  'user',
  'database',
  'name',
  'host',
  'url',
  'path',
  'driver',
  'tls',
  'env',
]);

function readValue(option: string, value: string): unknown {
  if (option === 'tls' && (value === 'true' || value === '1')) return 'require';
  if (option === 'tls' && (value === 'false' || value === '0')) return 'disable';
  // A password or a name of digits is still a text.
  return !texts.has(option) && /^\d{1,15}$/.test(value) ? Number(value) : value;
}

function camelCase(words: string): string {
  return words
    .toLowerCase()
    .replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function engineIn({ driver, url }: ConfigOptions): string | undefined {
  const word = driver ?? (url === undefined ? undefined : schemeOf(url));
  return typeof word === 'string' ? engineOf(word) : undefined;
}

/** The parts of a MongoDB address, so that another client can be given them. */
function mongoAddress(config: ConfigOptions): ConfigOptions {
  if (config.url === undefined) return { ...config, driver: 'mongodb' };
  const { user, password, hosts, database, parameters } = readUrl(config.url);
  return {
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    hosts,
    parameters,
    ...config,
    driver: 'mongodb',
  };
}

function unknownOption(key: string): ConfigError {
  const likely = suggest(key, ['env', 'prefix', 'overrides']);
  return new ConfigError(
    `Unknown option "${key.slice(0, 64)}" of loadConfig.${likely ? ` Did you mean "${likely}"?` : ' Known: env, prefix, overrides.'}`,
    { kind: 'usage', code: 'DAL_CONFIG_UNKNOWN_OPTION' },
  );
}
