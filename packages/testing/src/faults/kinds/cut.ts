import { atLeast, type Direction, type ProxyFault, UNTOUCHED } from '../lane-fault.ts';

export interface Cut {
  readonly cut: Direction;
  readonly afterBytes: number;
  readonly how?: 'reset' | 'end' | 'stall';
}

/** A line that breaks in the middle of a message, after exactly so many bytes more. */
export function cut({ cut: where, afterBytes, how = 'reset' }: Cut): ProxyFault {
  atLeast(0, 'afterBytes', afterBytes);
  return {
    lane(direction) {
      if (direction !== where) return UNTOUCHED;
      let left = afterBytes;
      return {
        deliver(bytes) {
          if (bytes.length < left) {
            left -= bytes.length;
            return { now: bytes };
          }
          return { now: bytes.subarray(0, left), later: bytes.subarray(left), after: how };
        },
      };
    },
  };
}
