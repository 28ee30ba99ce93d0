import { createHash } from 'node:crypto';
import type { HeldLock, Queryable, SessionLock } from '@dal/core';

/** GET_LOCK. The server has one list of names for all databases, so the database is part of the name. */
export const mysqlLock: SessionLock = {
  async take(session: Queryable, name: string): Promise<HeldLock | undefined> {
    // Asked for once: a statement such as USE changes the answer, and the lock stays the same.
    const database = await session.queryValue<string | null>('SELECT DATABASE()');
    const key = keyOf(`${database ?? ''}:${name}`);
    const got = await session.queryValue('SELECT GET_LOCK(?, 0)', [key]);
    if (Number(got) !== 1) return undefined;
    return {
      isHeld: async (on) =>
        Number(await on.queryValue('SELECT IS_USED_LOCK(?) = CONNECTION_ID()', [key])) === 1,
      release: async (on) => {
        await on.query('SELECT RELEASE_LOCK(?)', [key]);
      },
    };
  },
};

/** 64 characters are the most that a name may have. */
function keyOf(words: string): string {
  return `dal:${createHash('sha256').update(words).digest('hex').slice(0, 40)}`;
}
