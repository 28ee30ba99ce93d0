import { atLeast, type Direction, type ProxyFault, UNTOUCHED } from '../lane-fault.ts';

export interface Drip {
  readonly drip: Direction;
  readonly bytes: number;
  readonly everyMs: number;
}

/** A line that is alive and hardly moves: a few bytes at a time. */
export function drip({ drip: where, bytes: most, everyMs }: Drip): ProxyFault {
  atLeast(1, 'bytes', most);
  atLeast(0, 'everyMs', everyMs);
  return {
    lane(direction) {
      if (direction !== where) return UNTOUCHED;
      return {
        deliver: (bytes) => ({
          now: bytes.subarray(0, most),
          ...(bytes.length > most && { later: bytes.subarray(most) }),
          restMs: everyMs,
        }),
      };
    },
  };
}
