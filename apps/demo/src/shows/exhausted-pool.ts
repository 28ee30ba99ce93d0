import { AcquireTimeoutError } from '@dal/core';
import { msSince, type Show, type ShowResult, type Stage } from './show.ts';

const WAIT_MS = 250;

/** Both connections of a small pool are held; who asks for a third one is told by whom. */
export const exhaustedPool: Show = {
  title: 'A pool runs dry',

  async run({ open, signal }: Stage): Promise<ShowResult> {
    await using small = await open({ name: 'small', pool: { max: 2, acquireStacks: 'always' } });
    await using first = await small.acquire({ signal });
    await using second = await small.acquire({ signal });
    await first.query('SELECT 1');
    await second.query('SELECT 2');

    const startedAt = performance.now();
    const error: unknown = await small.acquire({ timeoutMs: WAIT_MS, signal }).catch((e) => e);
    const took = msSince(startedAt);
    if (!(error instanceof AcquireTimeoutError)) throw error;
    const { lent, waiting } = small.pool.stats();

    const waiter = small.acquire({ signal });
    await first.release();
    await (await waiter).release();
    await second.release();
    return {
      passed:
        lent === 2 &&
        waiting === 0 &&
        error.message.includes('2 of 2 lent') &&
        error.message.includes('exhausted-pool') &&
        small.pool.stats().lent === 0,
      lines: [
        `Two connections at the most, and both lent. A third was asked for with timeoutMs ${WAIT_MS}; after ${took}:`,
        `"${error.message}"`,
        'One was given back: who waited next had it at once.',
      ],
    };
  },
};
