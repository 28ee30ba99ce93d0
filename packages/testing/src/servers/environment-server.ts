import { connect } from 'node:net';
import { mysqlGreeting } from './mysql-greeting.ts';
import type { Server, ServerKind, ServerOptions } from './server.ts';
import { isWantedVersion } from './server.ts';

const VARIABLES: Record<ServerKind, string> = {
  postgres: 'DAL_TEST_POSTGRES_URL',
  mysql: 'DAL_TEST_MYSQL_URL',
  mariadb: 'DAL_TEST_MARIADB_URL',
};
const PORTS: Record<ServerKind, number> = { postgres: 5432, mysql: 3306, mariadb: 3306 };
const TIMEOUT_MS = 10_000;

/**
 * A server that runs already, at the address that an environment variable names.
 *
 * @throws Error when the variable is set and nobody answers there: such a wish is not passed over
 */
export async function useNamedServer(
  kind: ServerKind,
  { version: wanted, settings, tls, own = settings !== undefined || tls === true }: ServerOptions,
): Promise<Server | string> {
  const variable = VARIABLES[kind];
  const url = process.env[variable];
  if (!url) return `environment: ${variable} is not set`;
  if (own) return `environment: ${variable} names a server that others may use too`;
  if (!URL.canParse(url)) throw new Error(`${variable} is not a URL.`);

  const { hostname: host, port: portText, username, password, pathname } = new URL(url);
  const port = portText === '' ? PORTS[kind] : Number(portText);
  const version = await askVersion(kind, host, port);
  if (version === undefined) throw new Error(`${variable}: nobody answers at ${host}:${port}.`);
  if (!isWantedVersion(version, wanted)) return `environment: ${variable} is version ${version}`;

  const refuse = (): Promise<never> =>
    Promise.reject(
      new Error(`The server of ${variable} is not ours to stop. Ask for { own: true }.`),
    );
  return {
    kind,
    url,
    host,
    port,
    version,
    via: 'environment',
    pid: undefined,
    tls: undefined,
    logFile: undefined,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    start: refuse,
    stop: refuse,
    restart: refuse,
    kill: refuse,
    freeze: refuse,
    thaw: refuse,
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function askVersion(
  kind: ServerKind,
  host: string,
  port: number,
): Promise<string | undefined> {
  if (kind === 'postgres') return (await accepts(host, port)) ? 'unknown' : undefined;
  const greeting = await mysqlGreeting(host, port, TIMEOUT_MS);
  return greeting === undefined ? undefined : (/^\d+(\.\d+)*/.exec(greeting)?.[0] ?? 'unknown');
}

// PostgreSQL tells its version only to those who have logged in.
function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('timeout', () => finish(false));
    socket.once('error', () => finish(false));
  });
}
