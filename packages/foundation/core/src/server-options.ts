import { userInfo } from 'node:os';
import type { Host } from './connection-url.ts';
import { TARGET_SERVERS, type TargetServer } from './driver.ts';
import { ConfigError } from './errors.ts';
import { hostAddresses, type HostAddress, readHostList } from './host-list.ts';
import { type Password, readPassword } from './password.ts';
import {
  duration,
  flag,
  integer,
  oneOf,
  type OptionReader,
  type ReadOptions,
  text,
} from './read-options.ts';
import { readTls, type TlsOption } from './tls.ts';

/** What a user may give for any database that lives on a server. A driver adds its own. */
export interface ServerConfig {
  /** A name or an address; or several, tried in order: `['a:5433', 'b']`. */
  readonly host?: string | readonly string[];
  /** For hosts that don't name one. Default: the engine's own. */
  readonly port?: number;
  /** Which of several hosts will do; libpq's words. Default: `any`. */
  readonly targetSessionAttrs?: TargetServer;
  /** Tries several hosts in random order. Default: false. */
  readonly loadBalanceHosts?: boolean;
  /** Who logs in. Default: the name of the operating system's user. */
  readonly user?: string;
  /** A text, or a function that is asked at every connect, for passwords that expire. Default: none. */
  readonly password?: Password;
  /** Where statements run. Default: the driver's. */
  readonly database?: string;
  /** libpq's words and meanings, or `{ mode, ca, cert, key }`. Default: `prefer`. */
  readonly tls?: TlsOption;
  /** Longest time for TCP, TLS, login and set-up together. Default: 10 s. */
  readonly connectTimeoutMs?: number | string;
  /** How long a line is silent before the system asks whether it is alive; 0: never. Default: 1 s. */
  readonly keepAliveDelayMs?: number | string;
  /** What the server shows as the name of the program. */
  readonly applicationName?: string;
  /** The session refuses to write, single statements too. Default: false. */
  readonly readOnly?: boolean;
  /** Makes the database when it isn't there. Default: false. */
  readonly createIfMissing?: boolean;
}

/** The same, checked; what has one default for all engines is there. */
export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** All of them; `host` and `port` are the one to connect to. */
  readonly hosts: readonly HostAddress[];
  readonly targetSessionAttrs: TargetServer;
  readonly loadBalanceHosts: boolean;
  readonly user: string;
  readonly password: Password | undefined;
  readonly tls: TlsOption;
  readonly connectTimeoutMs: number;
  readonly keepAliveDelayMs: number;
  readonly readOnly: boolean;
  readonly createIfMissing: boolean;
}

/** Readers for `ServerConfig`, to spread into a driver's own. */
export const serverReaders: {
  readonly host: OptionReader<readonly Host[]>;
  readonly port: OptionReader<number>;
  readonly targetSessionAttrs: OptionReader<TargetServer>;
  readonly loadBalanceHosts: OptionReader<boolean>;
  readonly user: OptionReader<string>;
  readonly password: OptionReader<Password>;
  readonly database: OptionReader<string>;
  readonly tls: OptionReader<TlsOption>;
  readonly connectTimeoutMs: OptionReader<number>;
  readonly keepAliveDelayMs: OptionReader<number>;
  readonly applicationName: OptionReader<string>;
  readonly readOnly: OptionReader<boolean>;
  readonly createIfMissing: OptionReader<boolean>;
} = {
  host: readHostList,
  port: integer(1, 65_535),
  targetSessionAttrs: oneOf(...TARGET_SERVERS),
  loadBalanceHosts: flag,
  user: text,
  password: readPassword,
  database: text,
  tls: readTls,
  connectTimeoutMs: duration,
  keepAliveDelayMs: duration,
  applicationName: text,
  readOnly: flag,
  createIfMissing: flag,
};

/** Names that people bring from libpq and other libraries. */
export const SERVER_ALIASES: Readonly<Record<string, string>> = {
  hosts: 'host',
  hostname: 'host',
  username: 'user',
  db: 'database',
  dbname: 'database',
  ssl: 'tls',
  sslmode: 'tls',
  connectTimeout: 'connectTimeoutMs',
  connectionTimeoutMillis: 'connectTimeoutMs',
  target_session_attrs: 'targetSessionAttrs',
  load_balance_hosts: 'loadBalanceHosts',
};

/**
 * Completes what `serverReaders` have read.
 *
 * @param where the driver's name, for messages
 * @param defaults the engine's own; `user` when the system's user has no name
 * @throws ConfigError
 */
export function completeServerOptions(
  where: string,
  read: ReadOptions<typeof serverReaders>,
  defaults: { readonly host: string; readonly port: number; readonly user: string },
): ServerOptions {
  const port = read.port ?? defaults.port;
  const hosts = hostAddresses(read.host ?? [{ host: '' }], port, defaults.host, `${where}.host`);
  const [first] = hosts as [HostAddress];
  const readOnly = read.readOnly ?? false;
  if (readOnly && read.targetSessionAttrs === 'read-write') {
    throw new ConfigError(
      `${where}.readOnly sessions can't be "read-write"; use targetSessionAttrs "primary".`,
      { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
    );
  }
  return {
    ...first,
    hosts,
    targetSessionAttrs: read.targetSessionAttrs ?? 'any',
    loadBalanceHosts: read.loadBalanceHosts ?? false,
    user: read.user ?? systemUser() ?? defaults.user,
    password: read.password,
    tls: read.tls ?? 'prefer',
    connectTimeoutMs: read.connectTimeoutMs ?? 10_000,
    keepAliveDelayMs: read.keepAliveDelayMs ?? 1_000,
    readOnly,
    createIfMissing: read.createIfMissing ?? false,
  };
}

function systemUser(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return undefined;
  }
}
