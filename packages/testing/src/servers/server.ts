/** The servers that can be started. SQLite needs none: see {@link startEngines}. */
export type ServerKind = 'postgres' | 'mysql' | 'mariadb';

/** Where a server came from. */
export type ServerSource = 'environment' | 'docker' | 'npm' | 'debian' | 'path';

export interface ServerOptions {
  /**
   * The version that must be started, or its beginning: `'18'`, `'11.8'`.
   *
   * @default whatever is found first; with Docker PostgreSQL 18, MySQL 9, MariaDB 11
   */
  version?: string;
  /** Server settings, by the server's own names: `{ max_connections: 50 }`. They win over ours. */
  settings?: Readonly<Record<string, string | number | boolean>>;
  /**
   * Makes a certificate authority, and certificates for the server and one client.
   *
   * @default false
   */
  tls?: boolean;
  /**
   * A server that this test may stop, freeze and kill: never the one that the environment names,
   * since others may be using that one.
   *
   * @default false, and true when `settings` or `tls` are given
   */
  own?: boolean;
}

/** PEM texts for a client of the server. */
export interface ServerTls {
  /** Signs the certificate of the server, which is valid for `localhost` and `127.0.0.1`. */
  readonly ca: string;
  /** The client's own certificate, signed by the same authority. */
  readonly cert: string;
  /** The key of the client's certificate. */
  readonly key: string;
}

/**
 * A running database server.
 *
 * Operations are carried out one after the other. They throw for a server that came from the
 * environment, because it is not ours to stop; `close()` then does nothing.
 */
export interface Server extends AsyncDisposable {
  readonly kind: ServerKind;
  /** Address with user, password and database: everything that a client needs. */
  readonly url: string;
  readonly host: string;
  /** Stays the same over `stop`, `kill` and `start`. */
  readonly port: number;
  /** A user who may do everything, ending other sessions included. */
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Such as `'18.4'`, or `'unknown'` for a PostgreSQL server that the environment names. */
  readonly version: string;
  readonly via: ServerSource;
  /** Process id while a local server runs. */
  readonly pid: number | undefined;
  readonly tls: ServerTls | undefined;
  /** What a local server says, for looking into a failed test. */
  readonly logFile: string | undefined;
  /** Ends the server in an orderly way, open sessions included. */
  stop(): Promise<void>;
  /** Starts a stopped or killed server again, on the same port and with the same data. */
  start(): Promise<void>;
  /** `stop()`, then `start()`. */
  restart(): Promise<void>;
  /** Ends the server and all its processes at once, with SIGKILL. Acknowledged commits stay. */
  kill(): Promise<void>;
  /** Suspends the server: connections stay open, and nobody answers. */
  freeze(): Promise<void>;
  /** Lets a frozen server go on. */
  thaw(): Promise<void>;
  /** Ends the server and removes its folder. Calling it again does nothing. */
  close(): Promise<void>;
}

/** A way to get a server. Answers the server, or in words why there is none. */
export type WayToStart = (kind: ServerKind, options: ServerOptions) => Promise<Server | string>;

/** The address of a server, as drivers understand it. */
export function serverUrl(
  kind: ServerKind,
  at: Pick<Server, 'host' | 'port' | 'user' | 'password' | 'database'>,
): string {
  const scheme = { postgres: 'postgres', mysql: 'mysql', mariadb: 'mariadb' }[kind];
  const login = `${encodeURIComponent(at.user)}:${encodeURIComponent(at.password)}`;
  return `${scheme}://${login}@${at.host}:${at.port}/${encodeURIComponent(at.database)}`;
}

/** Whether a version answers a wish such as `'18'` or `'11.8'`. */
export function isWantedVersion(version: string, wanted: string | undefined): boolean {
  return wanted === undefined || version === wanted || version.startsWith(`${wanted}.`);
}
