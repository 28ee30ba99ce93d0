import type { ServerCapacity } from '@dal/core';
import type { Ask } from './end-session.ts';

/** `reserved_connections` came with PostgreSQL 16. */
const QUESTION = `SELECT current_setting('max_connections')::int,
  current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0),
  r.rolsuper, r.rolconnlimit, d.datconnlimit,
  (SELECT coalesce(sum(numbackends), 0)::int FROM pg_catalog.pg_stat_database)
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE r.rolname = session_user AND d.datname = current_database()`;

/** Every place that this user can get; superusers may have all of them. */
export async function readCapacity(ask: Ask): Promise<ServerCapacity> {
  const [row] = (await ask(QUESTION)) as [[number, number, boolean, number, number, number]];
  const [maxConnections, reserved, isSuperuser, ofRole, ofDatabase, used] = row;
  // -1 is no limit.
  const own = [ofRole, ofDatabase].filter((limit) => limit >= 0);
  const limit = isSuperuser ? maxConnections : Math.min(maxConnections - reserved, ...own);
  return { maxConnections, reserved, limit, used };
}
