import { setTimeout as sleep } from 'node:timers/promises';
import type { Incident } from './incident.ts';

const CALLERS = 12;
const HOLD_MS = 200;

export const crowd: Incident = {
  words: 'twelve callers share two connections, and keep them for 200 ms each',
  async run({ open, signal }) {
    await using db = await open({ name: 'incident: crowd', pool: { max: 2 } });
    const call = async (): Promise<void> => {
      while (!signal.aborted) {
        await using connection = await db.acquire({ timeoutMs: 60_000 });
        await connection.query('SELECT 1');
        await sleep(HOLD_MS);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, call));
  },
};
