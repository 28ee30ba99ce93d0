import {
  completeServerOptions,
  ConfigError,
  integer,
  oneOf,
  readOptions,
  SERVER_ALIASES,
  type ServerConfig,
  type ServerOptions,
  serverReaders,
  text,
  type TlsOption,
  type ValueOptions,
  valueReaders,
} from '@dal/core';
import { optionsFromUrl } from './postgres-url.ts';

/** What a user may give. Everything has a default. */
export interface PostgresConfig extends ServerConfig, ValueOptions {
  /** `postgres://user:password@host:port/database?sslmode=require`; the options beside it win. */
  readonly url?: string;
  /**
   * A name, an address, or the folder of a Unix socket; or several, tried in order:
   * `['a:5433', 'b']`. Default: `localhost`.
   */
  readonly host?: string | readonly string[];
  /** For hosts that don't name one. Default: 5432. */
  readonly port?: number;
  /** Default: the user's name, as libpq does. */
  readonly database?: string;
  /** `direct`: TLS from the first byte (PostgreSQL 17 and later). Default: `postgres`. */
  readonly tlsNegotiation?: 'postgres' | 'direct';
  /** Binds the login to the TLS line, so that nobody can stand between. Default: `prefer`. */
  readonly channelBinding?: 'disable' | 'prefer' | 'require';
  /** Shown in `pg_stat_activity`. Default: `dal`. */
  readonly applicationName?: string;
  /** Settings of the session as libpq takes them: `-c search_path=shop`. */
  readonly options?: string;
  /** Every transaction of the session is read-only, single statements too. Default: false. */
  readonly readOnly?: boolean;
  /**
   * `transaction`: a PgBouncer in transaction mode, or its like, is in between: statements have no
   * names and the session gets no settings of ours. Default: `none`.
   */
  readonly pooler?: 'none' | 'transaction';
  /** Prepared statements that a connection keeps; 0: none. Default: 50 to 500, as they are used. */
  readonly preparedStatements?: number;
}

/** Checked options, all of them there. */
export interface PostgresOptions extends ServerOptions {
  readonly database: string;
  readonly tlsNegotiation: 'postgres' | 'direct';
  readonly channelBinding: 'disable' | 'prefer' | 'require';
  readonly applicationName: string;
  readonly options: string | undefined;
  readonly pooler: 'none' | 'transaction';
  /** Undefined: a number that follows the use. */
  readonly preparedStatements: number | undefined;
  readonly values: ValueOptions;
}

const readers = {
  ...serverReaders,
  tlsNegotiation: oneOf('postgres', 'direct'),
  channelBinding: oneOf('disable', 'prefer', 'require'),
  options: text,
  pooler: oneOf('none', 'transaction'),
  preparedStatements: integer(0, 10_000),
  ...valueReaders,
};

/** Names that people bring from `pg`, libpq and other libraries. */
const aliases: Readonly<Record<string, string>> = {
  ...SERVER_ALIASES,
  connectionString: 'url',
  keepAlive: 'keepAliveDelayMs',
  keepAliveInitialDelayMillis: 'keepAliveDelayMs',
  application_name: 'applicationName',
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
  const server = completeServerOptions('postgres', read, {
    host: 'localhost',
    port: 5432,
    user: 'postgres',
  });
  const options: PostgresOptions = {
    ...server,
    database: read.database || server.user,
    tlsNegotiation: read.tlsNegotiation ?? 'postgres',
    channelBinding: read.channelBinding ?? 'prefer',
    applicationName: read.applicationName ?? 'dal',
    options: read.options || undefined,
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

function wrong(message: string): ConfigError {
  return new ConfigError(message, { kind: 'usage', code: 'DAL_CONFIG_VALUE' });
}
