import { userInfo } from 'node:os';
import {
  ConfigError,
  type ConnectionUrl,
  duration,
  flag,
  integer,
  type Password,
  readOptions,
  readPassword,
  readTls,
  readUrl,
  text,
  type TlsOption,
  type ValueOptions,
  valueReaders,
} from '@dal/core';

/** What a user may say about a MySQL or MariaDB database. The same names work as URL parameters. */
export interface MysqlConfig extends ValueOptions {
  /** `mysql://user:password@host:port/database?option=value`; options beside it win. */
  readonly url?: string;
  /** Name, address, or the path of a Unix socket. Default: `127.0.0.1`. */
  readonly host?: string;
  /** Default: 3306. */
  readonly port?: number;
  /** Path of a Unix socket, instead of host and port. */
  readonly socketPath?: string;
  /** Default: the name of the operating system's user. */
  readonly user?: string;
  /** A text, or a function that is awaited at every connect. Default: none. */
  readonly password?: Password;
  /** Default: none is chosen. */
  readonly database?: string;
  /** libpq's words, or `{ mode, ca, cert, key }`. Default: `prefer`. */
  readonly tls?: TlsOption;
  /** For TCP, TLS, login and set-up together. Default: 10,000. */
  readonly connectTimeoutMs?: number | string;
  /** Silence on the line before the operating system asks whether the peer lives. Default: 1,000. */
  readonly keepAliveDelayMs?: number | string;
  /** Shown by the server as the connection attribute `program_name`. Default: none. */
  readonly applicationName?: string;
  /** Every session refuses to write unless a transaction says READ WRITE. Default: false. */
  readonly readOnly?: boolean;
  /**
   * Statements kept prepared on the server for each connection, at most; the least used is closed. How
   * many there are follows the use, between 50 and this. Default: 500.
   */
  readonly preparedStatements?: number;
  /**
   * `bulkInsert` sends rows by LOAD DATA LOCAL, when the server has `local_infile` on. No file is ever
   * read. Default: false.
   */
  readonly localInfile?: boolean;
  /** Makes the database when it isn't there. Default: false. */
  readonly createIfMissing?: boolean;
}

/** The same, checked and complete. */
export interface MysqlOptions extends Required<ValueOptions> {
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | undefined;
  readonly user: string;
  readonly password: Password | undefined;
  readonly database: string | undefined;
  readonly tls: TlsOption;
  readonly connectTimeoutMs: number;
  readonly keepAliveDelayMs: number;
  readonly applicationName: string | undefined;
  readonly readOnly: boolean;
  readonly preparedStatements: number;
  readonly localInfile: boolean;
  readonly createIfMissing: boolean;
}

const readers = {
  ...valueReaders,
  host: text,
  port: integer(1, 65_535),
  socketPath: text,
  user: text,
  password: readPassword,
  database: text,
  tls: readTls,
  connectTimeoutMs: duration,
  keepAliveDelayMs: duration,
  applicationName: text,
  readOnly: flag,
  preparedStatements: integer(1, 16_382),
  localInfile: flag,
  createIfMissing: flag,
};

const aliases = {
  username: 'user',
  hostname: 'host',
  server: 'host',
  db: 'database',
  dbname: 'database',
  ssl: 'tls',
  sslmode: 'tls',
  'ssl-mode': 'tls',
  sslMode: 'tls',
  connectTimeout: 'connectTimeoutMs',
  connectionTimeoutMillis: 'connectTimeoutMs',
  socket: 'socketPath',
  unixSocket: 'socketPath',
  maxPreparedStatements: 'preparedStatements',
  allowLocalInfile: 'localInfile',
  dateStrings: 'timestamps',
  supportBigNumbers: 'integers',
  bigNumberStrings: 'integers',
};

/** @throws ConfigError that names the wrong field, and never shows a secret */
export function readMysqlOptions(input: Readonly<Record<string, unknown>>): MysqlOptions {
  const { url, ...rest } = input;
  const given = readOptions(
    'mysql',
    { ...optionsFromUrl(url), ...definedOnly(rest) },
    readers,
    aliases,
  );
  const host = given.host ?? '127.0.0.1';
  if (host.includes(',')) throw severalHosts();
  return {
    host,
    port: given.port ?? 3306,
    socketPath: given.socketPath ?? (host.startsWith('/') ? host : undefined),
    user: given.user ?? systemUser(),
    password: given.password,
    database: given.database,
    tls: given.tls ?? 'prefer',
    connectTimeoutMs: given.connectTimeoutMs ?? 10_000,
    keepAliveDelayMs: given.keepAliveDelayMs ?? 1_000,
    applicationName: given.applicationName,
    readOnly: given.readOnly ?? false,
    preparedStatements: given.preparedStatements ?? 500,
    localInfile: given.localInfile ?? false,
    createIfMissing: given.createIfMissing ?? false,
    integers: given.integers ?? 'safe',
    decimals: given.decimals ?? 'text',
    timestamps: given.timestamps ?? 'date',
    json: given.json ?? 'parsed',
  };
}

function optionsFromUrl(value: unknown): Record<string, unknown> {
  if (value === undefined) return {};
  const url: ConnectionUrl = readUrl(text(value, 'mysql.url'));
  if (url.hosts.length > 1) throw severalHosts();
  return {
    ...url.parameters,
    ...definedOnly({
      host: url.hosts[0]?.host,
      port: url.hosts[0]?.port,
      user: url.user,
      password: url.password,
      database: url.database,
    }),
  };
}

function definedOnly(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}

function severalHosts(): ConfigError {
  return new ConfigError(
    'mysql.host names several hosts; one host per database. Open one database for each host.',
    { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
  );
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
