import { QueryError } from '@dal/core';
import type { Incident } from './incident.ts';

const CALLERS = 12;
const LONG_MS = 1_500;

export const slow: Incident = {
  words: 'statements hang until they are stopped, after a second and a half',
  async run({ open, words, signal }) {
    await using db = await open({ name: 'incident: slow', pool: { max: 2 * CALLERS } });
    const call = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          await db.query(words.stuckStatement, [], { timeoutMs: LONG_MS });
        } catch (error) {
          if (!(error instanceof QueryError)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: words.workers < 8 ? 2 : CALLERS }, call));
  },
};
