import { type Direction, type LaneFault, type ProxyFault, UNTOUCHED } from '../lane-fault.ts';

/** What is held back arrives when the fault is over. */
export const HELD: LaneFault = { holds: true };

/** A line that stays open, and over which nothing arrives: in one direction, or in both. */
export function stall(only?: Direction): ProxyFault {
  return {
    lane: (direction) => (only === undefined || only === direction ? HELD : UNTOUCHED),
  };
}
