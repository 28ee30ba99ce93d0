import type { ServerCapacity } from '@dal/core';

type Ask = (text: string) => Promise<readonly unknown[]>;

/**
 * Every place that this user can get. The server keeps one more for its administrator, beside
 * `max_connections`.
 */
export async function readCapacity(ask: Ask): Promise<ServerCapacity> {
  // The session's own value is the limit of the account, where it has one; 0 is none.
  const [limits] = (await ask('SELECT @@max_connections, @@session.max_user_connections')) as [
    readonly unknown[],
  ];
  const [maxConnections = 0, ofUser = 0] = limits.map(Number);
  const [status] = await ask("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
  return {
    maxConnections,
    reserved: 0,
    limit: ofUser > 0 ? Math.min(maxConnections, ofUser) : maxConnections,
    used: Number((status as readonly unknown[] | undefined)?.[1] ?? 0),
  };
}
