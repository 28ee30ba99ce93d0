import { setTimeout as sleep } from 'node:timers/promises';
import type { Incident } from './incident.ts';

const VICTIMS = 3;
const PAUSE_MS = 50;
const SERVED = 40;

export const kills: Incident = {
  words: 'sessions are killed in the middle of their statement',
  async run({ open, words, shop, signal }) {
    await using outside = await open({ name: 'incident: killer', pool: { max: 1 } });
    await using db = await open({
      name: 'incident: kills',
      pool: { max: 3 * VICTIMS },
    });
    const fall = async (): Promise<void> => {
      while (!signal.aborted) {
        await using connection = await db.acquire();
        const session = await words.sessionOf(connection);
        const stuck = connection.query(words.stuckStatement, [], { timeoutMs: 5_000 });
        // Its end is what is wanted.
        const ended = stuck.catch(() => undefined);
        await sleep(PAUSE_MS);
        await words.killSession(outside, session);
        await ended;
        // For most callers all is well, so this is no alert of the pool.
        for (let count = 0; count < SERVED; count++) await shop.balanceOf(db, shop.anyAccount());
      }
    };
    await Promise.all(Array.from({ length: VICTIMS }, fall));
  },
};
