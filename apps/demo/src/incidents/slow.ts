import { QueryError } from '@dal/core';
import type { Incident } from './incident.ts';

const CALLERS = 12;
const LONG_MS = 1_500;
const SERVED = 40;

export const slow: Incident = {
  words: 'statements hang until they are stopped, after a second and a half',
  async run({ open, words, shop, signal }) {
    await using db = await open({ name: 'incident: slow', pool: { max: 2 * CALLERS } });
    const call = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          await db.query(words.stuckStatement, [], { timeoutMs: LONG_MS });
        } catch (error) {
          if (!(error instanceof QueryError)) throw error;
        }
        // Few callers wait for a connection, so this is no alert of the pool.
        for (let count = 0; count < SERVED; count++) await shop.balanceOf(db, shop.anyAccount());
      }
    };
    await Promise.all(Array.from({ length: words.workers < 8 ? 2 : CALLERS }, call));
  },
};
