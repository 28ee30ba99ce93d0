import { setTimeout as sleep } from 'node:timers/promises';
import { memoryShare } from '../telemetry.ts';
import type { Incident } from './incident.ts';

const FULL = 0.94;
const STEP = 100_000;
const MOST_STEPS = 2_000;

export const memory: Incident = {
  words: 'the heap is filled (start with NODE_OPTIONS=--max-old-space-size=200)',
  async run({ signal }) {
    const kept: number[][] = [];
    while (!signal.aborted) {
      if (memoryShare() < FULL && kept.length < MOST_STEPS) {
        kept.push(Array.from({ length: STEP }, (_, index) => index + 0.5));
      }
      // Filled up again whenever garbage was collected.
      await sleep(kept.length < MOST_STEPS && memoryShare() < FULL ? 1 : 20);
    }
  },
};
