import { type Direction, type ProxyFault, UNTOUCHED } from '../lane-fault.ts';

/** A line of which one side is gone without a word: what the other one sends is lost for good. */
export function halfOpen(lost: Direction): ProxyFault {
  return { lane: (direction) => (direction === lost ? { loses: true } : UNTOUCHED) };
}
