import { userInfo } from 'node:os';
import {
  ConfigError,
  duration,
  flag,
  hostAddresses,
  type HostAddress,
  integer,
  oneOf,
  type Password,
  readHostList,
  readOptions,
  readPassword,
  readTls,
  TARGET_SERVERS,
  type TargetServer,
  text,
  type TlsOption,
  type ValueOptions,
  valueReaders,
} from '@dal/core';
import { optionsFromUrl } from './postgres-url.ts';

/** What a user may give. Everything has a default. */
export interface PostgresConfig extends ValueOptions {
  /** `postgres://user:password@host:port/database?sslmode=require`; the options beside it win. */
  readonly url?: string;
  /**
   * A name, an address, or the folder of a Unix socket; or several, tried in order:
   * `['a:5433', 'b']`. Default: `localhost`.
   */
  readonly host?: string | readonly string[];
  /** For hosts that don't name one. Default: 5432. */
  readonly port?: number;
  /** Which of several hosts will do; libpq's words. Default: `any`. */
  readonly targetSessionAttrs?: TargetServer;
  /** Tries several hosts in random order. Default: false. */
  readonly loadBalanceHosts?: boolean;
  /** Default: the name of the operating system's user, as libpq does. */
  readonly user?: string;
  /** A function is asked at every connect, for passwords that expire. */
  readonly password?: Password;
  /** Default: the user's name, as libpq does. */
  readonly database?: string;
  /** libpq's words and meanings, or `{ mode, ca, cert, key }`. Default: `prefer`. */
  readonly tls?: TlsOption;
  /** `direct`: TLS from the first byte (PostgreSQL 17 and later). Default: `postgres`. */
  readonly tlsNegotiation?: 'postgres' | 'direct';
  /** Binds the login to the TLS line, so that nobody can stand between. Default: `prefer`. */
  readonly channelBinding?: 'disable' | 'prefer' | 'require';
  /** Shown in `pg_stat_activity`. Default: `dal`. */
  readonly applicationName?: string;
  /** Settings of the session as libpq takes them: `-c search_path=shop`. */
  readonly options?: string;
  /** Longest time for TCP, TLS and login together. Default: 10 s. */
  readonly connectTimeoutMs?: number | string;
  /** How long a line is silent before the system asks whether it is alive; 0: never. Default: 1 s. */
  readonly keepAliveDelayMs?: number | string;
  /** Every transaction of the session is read-only, single statements too. Default: false. */
  readonly readOnly?: boolean;
  /** Makes the database when it isn't there. Default: false. */
  readonly createIfMissing?: boolean;
  /**
   * `transaction`: a PgBouncer in transaction mode, or its like, is in between: statements have no
   * names and the session gets no settings of ours. Default: `none`.
   */
  readonly pooler?: 'none' | 'transaction';
  /** Prepared statements that a connection keeps; 0: none. Default: 50 to 500, as they are used. */
  readonly preparedStatements?: number;
}

/** Checked options, all of them there. */
export interface PostgresOptions {
  readonly host: string;
  readonly port: number;
  /** All of them; `host` and `port` are the one to connect to. */
  readonly hosts: readonly HostAddress[];
  readonly targetSessionAttrs: TargetServer;
  readonly loadBalanceHosts: boolean;
  readonly user: string;
  readonly password: Password | undefined;
  readonly database: string;
  readonly tls: TlsOption;
  readonly tlsNegotiation: 'postgres' | 'direct';
  readonly channelBinding: 'disable' | 'prefer' | 'require';
  readonly applicationName: string;
  readonly options: string | undefined;
  readonly connectTimeoutMs: number;
  readonly keepAliveDelayMs: number;
  readonly readOnly: boolean;
  readonly createIfMissing: boolean;
  readonly pooler: 'none' | 'transaction';
  /** Undefined: a number that follows the use. */
  readonly preparedStatements: number | undefined;
  readonly values: ValueOptions;
}

const readers = {
  host: readHostList,
  targetSessionAttrs: oneOf(...TARGET_SERVERS),
  loadBalanceHosts: flag,
  port: integer(1, 65_535),
  user: text,
  password: readPassword,
  database: text,
  tls: readTls,
  tlsNegotiation: oneOf('postgres', 'direct'),
  channelBinding: oneOf('disable', 'prefer', 'require'),
  applicationName: text,
  options: text,
  connectTimeoutMs: duration,
  keepAliveDelayMs: duration,
  readOnly: flag,
  createIfMissing: flag,
  pooler: oneOf('none', 'transaction'),
  preparedStatements: integer(0, 10_000),
  ...valueReaders,
};

/** Names that people bring from `pg`, libpq and other libraries. */
const aliases: Readonly<Record<string, string>> = {
  username: 'user',
  hostname: 'host',
  dbname: 'database',
  db: 'database',
  connectionString: 'url',
  connectionTimeoutMillis: 'connectTimeoutMs',
  connectTimeout: 'connectTimeoutMs',
  hosts: 'host',
  target_session_attrs: 'targetSessionAttrs',
  load_balance_hosts: 'loadBalanceHosts',
  keepAlive: 'keepAliveDelayMs',
  keepAliveInitialDelayMillis: 'keepAliveDelayMs',
  application_name: 'applicationName',
  ssl: 'tls',
  sslmode: 'tls',
  pgbouncer: 'pooler',
  prepare: 'preparedStatements',
  max: 'pool.max',
  min: 'pool.min',
  idleTimeoutMillis: 'pool.idleTimeoutMs',
  statement_timeout: 'statementTimeoutMs',
  query_timeout: 'statementTimeoutMs',
  schema: 'options',
  search_path: 'options',
};

/** @throws ConfigError that names the option */
export function readPostgresOptions(input: Readonly<Record<string, unknown>>): PostgresOptions {
  const { url, ...beside } = input;
  const given = Object.entries(beside).filter(([, value]) => value !== undefined);
  const fromUrl = url === undefined ? {} : optionsFromUrl(text(url, 'postgres.url'));
  const read = readOptions(
    'postgres',
    { ...fromUrl, ...Object.fromEntries(given) },
    readers,
    aliases,
  );
  const { integers, decimals, timestamps, json } = read;
  const user = read.user ?? systemUser();
  const hosts = hostAddresses(
    read.host ?? [{ host: '' }],
    read.port ?? 5432,
    'localhost',
    'postgres.host',
  );
  const [first] = hosts as [HostAddress];
  const options: PostgresOptions = {
    ...first,
    hosts,
    targetSessionAttrs: read.targetSessionAttrs ?? 'any',
    loadBalanceHosts: read.loadBalanceHosts ?? false,
    user,
    password: read.password,
    database: read.database || user,
    tls: read.tls ?? 'prefer',
    tlsNegotiation: read.tlsNegotiation ?? 'postgres',
    channelBinding: read.channelBinding ?? 'prefer',
    applicationName: read.applicationName ?? 'dal',
    options: read.options || undefined,
    connectTimeoutMs: read.connectTimeoutMs ?? 10_000,
    keepAliveDelayMs: read.keepAliveDelayMs ?? 1_000,
    readOnly: read.readOnly ?? false,
    createIfMissing: read.createIfMissing ?? false,
    pooler: read.pooler ?? 'none',
    preparedStatements: read.preparedStatements,
    values: {
      ...(integers ? { integers } : {}),
      ...(decimals ? { decimals } : {}),
      ...(timestamps ? { timestamps } : {}),
      ...(json ? { json } : {}),
    },
  };
  check(options);
  return options;
}

function check(options: PostgresOptions): void {
  const { hosts, user, database, applicationName, options: settings } = options;
  const { targetSessionAttrs } = options;
  const texts = [...hosts.map(({ host }) => host), user, database, applicationName, settings];
  if (options.connectTimeoutMs === 0) {
    throw wrong('postgres.connectTimeoutMs must be longer than 0.');
  }
  if (texts.some((value) => value?.includes('\0'))) {
    throw wrong('An option of postgres holds a zero byte.');
  }
  if (options.readOnly && options.pooler === 'transaction') {
    throw wrong(
      'postgres.readOnly can\'t be kept up through a transaction pooler, where sessions are shared. Use a role with "ALTER ROLE ... SET default_transaction_read_only = on".',
    );
  }
  if (options.readOnly && targetSessionAttrs === 'read-write') {
    throw wrong(
      'postgres.readOnly sessions can\'t be "read-write"; use targetSessionAttrs "primary".',
    );
  }
  const encrypted =
    options.tls !== 'disable' &&
    !(typeof options.tls === 'object' && options.tls.mode === 'disable');
  if (options.tlsNegotiation === 'direct' && !/^(?:require|verify)/.test(tlsWord(options.tls))) {
    throw wrong('postgres.tlsNegotiation "direct" needs tls "require" or stronger.');
  }
  if (options.channelBinding === 'require' && !encrypted) {
    throw wrong('postgres.channelBinding "require" needs TLS, but tls is "disable".');
  }
}

function tlsWord(tls: TlsOption): string {
  return typeof tls === 'string' ? tls : (tls.mode ?? 'require');
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return 'postgres';
  }
}

function wrong(message: string): ConfigError {
  return new ConfigError(message, { kind: 'usage', code: 'DAL_CONFIG_VALUE' });
}
