import {
  completeServerOptions,
  type ConnectionUrl,
  flag,
  type Host,
  integer,
  readOptions,
  readUrl,
  SERVER_ALIASES,
  type ServerConfig,
  type ServerOptions,
  serverReaders,
  text,
  type ValueOptions,
  valueReaders,
} from '@dal/core';

/** What a user may say about a MySQL or MariaDB database. The same names work as URL parameters. */
export interface MysqlConfig extends ServerConfig, ValueOptions {
  /** `mysql://user:password@host:port/database?option=value`; options beside it win. */
  readonly url?: string;
  /**
   * Name, address, or the path of a Unix socket; or several, tried in order: `['a:3307', 'b']`.
   * Default: `127.0.0.1`.
   */
  readonly host?: string | readonly string[];
  /** For hosts that don't name one. Default: 3306. */
  readonly port?: number;
  /** Path of a Unix socket, instead of host and port. */
  readonly socketPath?: string;
  /** Default: none is chosen. */
  readonly database?: string;
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
}

/** The same, checked and complete. */
export interface MysqlOptions extends ServerOptions, Required<ValueOptions> {
  readonly socketPath: string | undefined;
  readonly database: string | undefined;
  readonly applicationName: string | undefined;
  readonly preparedStatements: number;
  readonly localInfile: boolean;
}

const readers = {
  ...valueReaders,
  ...serverReaders,
  socketPath: text,
  preparedStatements: integer(1, 16_382),
  localInfile: flag,
};

const aliases: Readonly<Record<string, string>> = {
  ...SERVER_ALIASES,
  server: 'host',
  'ssl-mode': 'tls',
  sslMode: 'tls',
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
  const server = completeServerOptions('mysql', given, {
    host: '127.0.0.1',
    port: 3306,
    user: '',
  });
  return {
    ...server,
    socketPath: given.socketPath ?? (server.host.startsWith('/') ? server.host : undefined),
    database: given.database,
    applicationName: given.applicationName,
    preparedStatements: given.preparedStatements ?? 500,
    localInfile: given.localInfile ?? false,
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
