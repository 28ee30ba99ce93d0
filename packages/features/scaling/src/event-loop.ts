import { performance } from 'node:perf_hooks';

/** How long a thread's event loop worked and waited. */
export interface LoopTime {
  readonly activeMs: number;
  readonly idleMs: number;
}

/** @returns a function that says how the time since its last call was spent */
export function watchEventLoop(): () => LoopTime {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { active, idle } = performance.eventLoopUtilization(now, before);
    before = now;
    return { activeMs: active, idleMs: idle };
  };
}
