import { type HeldLock, isDalError, type Queryable, type SessionLock } from '@dal/core';

/**
 * A small file beside the database, `app.db-<name>.lock`, which the session attaches and locks. The
 * database itself stays free, for readers and writers alike, and a transaction may begin and end. The
 * operating system drops the lock with the session. The file stays: who deletes it while others wait
 * for it would give the lock to two of them.
 */
export const sqliteLock: SessionLock = {
  async take(session: Queryable, name: string): Promise<HeldLock | undefined> {
    const file = await session.queryValue<string>(
      "SELECT file FROM pragma_database_list WHERE name = 'main'",
    );
    // In memory: nobody else is there.
    if (!file) return { isHeld: () => Promise.resolve(true), release: () => Promise.resolve() };
    const patience = Number(await session.queryValue('PRAGMA busy_timeout'));
    try {
      await session.query('PRAGMA busy_timeout = 0');
      await session.query('ATTACH DATABASE ? AS dal_lock', [`${file}-${name}.lock`]);
      await lockAttached(session);
      return heldLock;
    } catch (error) {
      if (isDalError(error) && error.kind === 'lockTimeout') return undefined;
      throw error;
    } finally {
      await session.query(`PRAGMA busy_timeout = ${patience}`);
    }
  },
};

async function lockAttached(session: Queryable): Promise<void> {
  try {
    await session.query('PRAGMA dal_lock.journal_mode = MEMORY');
    // From now on what a write locks stays locked.
    await session.query('PRAGMA dal_lock.locking_mode = EXCLUSIVE');
    await session.query('PRAGMA dal_lock.user_version = 1');
  } catch (error) {
    // Detached, so that no part of a lock is kept in the way of others.
    await session.query('DETACH DATABASE dal_lock');
    throw error;
  }
}

const heldLock: HeldLock = {
  isHeld: async (on) =>
    Number(
      await on.queryValue("SELECT COUNT(*) FROM pragma_database_list WHERE name = 'dal_lock'"),
    ) === 1,
  release: async (on) => {
    await on.query('DETACH DATABASE dal_lock');
  },
};
