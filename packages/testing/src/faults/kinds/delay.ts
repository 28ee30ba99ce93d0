import { atLeast, type ProxyFault } from '../lane-fault.ts';

/** A long way: everything arrives, later, in both directions. */
export function delay(latencyMs: number): ProxyFault {
  const delayMs = atLeast(0, 'latencyMs', latencyMs);
  return { lane: () => ({ delayMs }) };
}
