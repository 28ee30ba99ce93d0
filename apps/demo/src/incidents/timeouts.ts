import { setTimeout as sleep } from 'node:timers/promises';
import { AcquireTimeoutError } from '@dal/core';
import type { Incident } from './incident.ts';

const ROUND_MS = 1_000;

/** Of all who ask for a connection this share waits in vain, with 200 callers a second or more. */
export function timeouts(name: string, failing: number, served: number): Incident {
  const percent = ((100 * failing) / (failing + served)).toFixed(1);
  return {
    words: `${percent} % of those who ask for a connection get none`,
    async run({ open, signal }) {
      await using db = await open({ name: `incident: ${name}`, pool: { max: 1 } });
      while (!signal.aborted) {
        const startedAt = performance.now();
        {
          await using held = await db.acquire();
          await held.query('SELECT 1');
          const inVain = Array.from({ length: failing }, () => db.acquire({ timeoutMs: 20 }));
          for (const result of await Promise.allSettled(inVain)) {
            if (result.status === 'rejected' && result.reason instanceof AcquireTimeoutError)
              continue;
            throw new Error('Somebody should have waited in vain.');
          }
        }
        for (let count = 0; count < served; count++) await (await db.acquire()).release();
        const left = ROUND_MS - (performance.now() - startedAt);
        if (left > 0) await sleep(left, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
