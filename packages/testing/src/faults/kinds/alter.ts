import { atLeast, type Direction, type ProxyFault, UNTOUCHED } from '../lane-fault.ts';

export interface Alter {
  readonly alter: Direction;
  readonly afterBytes: number;
  readonly to?: number;
}

/** Something on the way that damages one message, or an end that says what its protocol forbids. */
export function alter({ alter: where, afterBytes, to }: Alter): ProxyFault {
  atLeast(0, 'afterBytes', afterBytes);
  if (to !== undefined && !(Number.isInteger(to) && to >= 0 && to <= 255)) {
    throw new RangeError(`to must be a byte, from 0 to 255, not ${to}.`);
  }
  return {
    lane(direction) {
      if (direction !== where) return UNTOUCHED;
      let left = afterBytes;
      return {
        deliver(bytes) {
          const at = left;
          left -= bytes.length;
          if (at < 0 || at >= bytes.length) return { now: bytes };
          const altered = Buffer.from(bytes);
          altered[at] = to ?? altered[at]! ^ 0xff;
          return { now: altered };
        },
      };
    },
  };
}
