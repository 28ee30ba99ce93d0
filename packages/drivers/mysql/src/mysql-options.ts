import { userInfo } from 'node:os';
import {
  ConfigError,
  type ConnectionUrl,
  duration,
  flag,
  type Host,
  hostAddresses,
  type HostAddress,
  integer,
  oneOf,
  type Password,
  readHostList,
  readOptions,
  readPassword,
  readTls,
  readUrl,
  TARGET_SERVERS,
  type TargetServer,
  text,
  type TlsOption,
  type ValueOptions,
  valueReaders,
} from '@dal/core';

/** What a user may say about a MySQL or MariaDB database. The same names work as URL parameters. */
export interface MysqlConfig extends ValueOptions {
  /** `mysql://user:password@host:port/database?option=value`; options beside it win. */
  readonly url?: string;
  /**
   * Name, address, or the path of a Unix socket; or several, tried in order: `['a:3307', 'b']`.
   * Default: `127.0.0.1`.
   */
  readonly host?: string | readonly string[];
  /** For hosts that don't name one. Default: 3306. */
  readonly port?: number;
  /** Which of several hosts will do; libpq's words. Default: `any`. */
  readonly targetSessionAttrs?: TargetServer;
  /** Tries several hosts in random order. Default: false. */
  readonly loadBalanceHosts?: boolean;
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
  /** All of them; `host` and `port` are the one to connect to. */
  readonly hosts: readonly HostAddress[];
  readonly targetSessionAttrs: TargetServer;
  readonly loadBalanceHosts: boolean;
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
  host: readHostList,
  targetSessionAttrs: oneOf(...TARGET_SERVERS),
  loadBalanceHosts: flag,
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
  hosts: 'host',
  target_session_attrs: 'targetSessionAttrs',
  load_balance_hosts: 'loadBalanceHosts',
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
  const hosts = hostAddresses(
    given.host ?? [{ host: '' }],
    given.port ?? 3306,
    '127.0.0.1',
    'mysql.host',
  );
  const [first] = hosts as [HostAddress];
  const { host } = first;
  if (given.readOnly && given.targetSessionAttrs === 'read-write') {
    throw new ConfigError(
      'mysql.readOnly sessions can\'t be "read-write"; use targetSessionAttrs "primary".',
      { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
    );
  }
  return {
    ...first,
    hosts,
    targetSessionAttrs: given.targetSessionAttrs ?? 'any',
    loadBalanceHosts: given.loadBalanceHosts ?? false,
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
  const {
    target_session_attrs: target,
    load_balance_hosts: balance,
    ...parameters
  } = url.parameters;
  const [first] = url.hosts;
  return {
    ...parameters,
    ...definedOnly({
      ...(url.hosts.length > 1
        ? { host: url.hosts.map(textOfHost) }
        : { host: first?.host, port: first?.port }),
      // libpq's names, for those who move from there.
      targetSessionAttrs: target,
      loadBalanceHosts: balance === undefined ? undefined : balance === 'random',
      user: url.user,
      password: url.password,
      database: url.database,
    }),
  };
}

function definedOnly(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}

function textOfHost({ host, port }: Host): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
