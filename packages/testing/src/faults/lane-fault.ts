export type Direction = 'up' | 'down';

/** What one kind of fault does, wherever in a connection it does it. One file of `kinds` has each. */
export interface ProxyFault {
  /** What happens to new connections instead of being led to the server. */
  readonly onAccept?: 'reset' | 'silence';
  /** What happens to the bytes of one direction; asked for each connection, so that it may count. */
  readonly lane?: (direction: Direction) => LaneFault;
}

/** What happens to the bytes of one direction of one connection. An empty one delivers everything. */
export interface LaneFault {
  /** Whatever is read is lost for good. An end, which is sent again and again, arrives afterwards. */
  readonly loses?: boolean;
  /** Nothing arrives, and when the lane is full nothing is read any more. */
  readonly holds?: boolean;
  /** What is read arrives that much later. */
  readonly delayMs?: number;
  /** Asked at the last moment before bytes go out. */
  readonly deliver?: (bytes: Buffer) => Delivery;
}

/** How bytes go out. */
export interface Delivery {
  readonly now: Buffer;
  /** Stays first in the queue. */
  readonly later?: Buffer;
  /** Nothing more goes out for so long. */
  readonly restMs?: number;
  /** What this was the end of: the connection, this direction of it, or all that arrives. */
  readonly after?: 'reset' | 'end' | 'stall';
}

/** The bytes of one direction, as they are. */
export const UNTOUCHED: LaneFault = {};

/** @throws RangeError that names the wrong number */
export function atLeast(least: number, name: string, value: number): number {
  if (value >= least) return value;
  throw new RangeError(`${name} must be ${least} or more, not ${value}.`);
}
