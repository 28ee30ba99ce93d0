import { createHash } from 'node:crypto';
import type { HeldLock, Queryable, SessionLock } from '@dal/core';

/** An advisory lock of the session. It is the database's own: two databases of a server don't meet. */
export const postgresLock: SessionLock = {
  async take(session: Queryable, name: string): Promise<HeldLock | undefined> {
    const key = keyOf(name);
    // Asked for without waiting: a session that waits inside a statement has a snapshot, and
    // CREATE INDEX CONCURRENTLY of the lock's holder would wait for that snapshot in turn.
    const got = await session.queryValue('SELECT pg_try_advisory_lock(CAST(? AS bigint))', [key]);
    if (got !== true) return undefined;
    return {
      isHeld: async (on) => (await on.queryValue<boolean>(holds, [key])) === true,
      release: async (on) => {
        await on.query('SELECT pg_advisory_unlock(CAST(? AS bigint))', [key]);
      },
    };
  },
};

const holds = `SELECT EXISTS (
  SELECT FROM pg_locks
  WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid = pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = CAST(? AS bigint))`;

/** The server's locks are numbers. */
function keyOf(name: string): string {
  return createHash('sha256').update(`dal:${name}`).digest().readBigInt64BE().toString();
}
