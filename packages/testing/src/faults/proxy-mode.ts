import { acceptSilent } from './kinds/accept-silent.ts';
import { type Alter, alter } from './kinds/alter.ts';
import { type Cut, cut } from './kinds/cut.ts';
import { delay } from './kinds/delay.ts';
import { type Drip, drip } from './kinds/drip.ts';
import { halfOpen } from './kinds/half-open.ts';
import { resetOnAccept } from './kinds/reset-on-accept.ts';
import { stall } from './kinds/stall.ts';
import type { Direction, ProxyFault } from './lane-fault.ts';

/** What a proxy does to the lines that go through it. */
export type ProxyMode =
  /** Delivers everything, what was held back first. */
  | 'pass'
  /** Holds everything back: connections stay open, nothing arrives. */
  | 'stall'
  /** Holds back what the client (`up`) or the server (`down`) sends. */
  | `stall-${Direction}`
  /** Swallows what the client or the server sends; it never arrives. An end arrives when this is over. */
  | `drop-${Direction}`
  /**
   * Delivers that many bytes more in one direction. Then the connection is reset; with `end` only this
   * direction ends, in an orderly way; with `stall` nothing more of it arrives. Default: `reset`.
   */
  | Cut
  /** Delivers everything that much later, in both directions. */
  | { readonly latencyMs: number }
  /** Delivers at the most so many `bytes` of one direction, and the next ones after `everyMs`. */
  | Drip
  /**
   * Changes one byte of one direction, the one after that many more: to the byte `to`. Default: all its
   * bits are turned over.
   */
  | Alter
  /** Resets new connections at once; those that exist go on. */
  | 'reset-on-accept'
  /** Accepts new connections and never says a word; those that exist go on. */
  | 'accept-silent';

const named: Readonly<Record<Extract<ProxyMode, string>, ProxyFault>> = {
  pass: {},
  stall: stall(),
  'stall-up': stall('up'),
  'stall-down': stall('down'),
  'drop-up': halfOpen('up'),
  'drop-down': halfOpen('down'),
  'reset-on-accept': resetOnAccept,
  'accept-silent': acceptSilent,
};

/** @throws RangeError for a mode that makes no sense */
export function faultOf(mode: ProxyMode): ProxyFault {
  if (typeof mode === 'string') {
    if (Object.hasOwn(named, mode)) return named[mode];
  } else if ('cut' in mode) return cut(mode);
  else if ('drip' in mode) return drip(mode);
  else if ('alter' in mode) return alter(mode);
  else if ('latencyMs' in mode) return delay(mode.latencyMs);
  throw new RangeError(
    `The fault proxy has no mode ${JSON.stringify(mode)}. Known: ${Object.keys(named).join(', ')}, and objects with cut, latencyMs, drip or alter.`,
  );
}
