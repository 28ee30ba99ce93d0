import { AsyncLocalStorage } from 'node:async_hooks';
import type { Lease } from './lease.ts';

/** A callback for whose time a session is lent. */
export interface Holding {
  readonly lease: Lease;
  /** What the callback works with, such as its transaction. */
  readonly by: object;
  /** The holding in which this one was taken. */
  readonly outer: Holding | undefined;
}

const holdings = new AsyncLocalStorage<Holding>();

/** Runs a callback; whatever it starts can be asked for what it holds. */
export function whileHolding<T>(lease: Lease, by: object, callback: () => Promise<T>): Promise<T> {
  return holdings.run({ lease, by, outer: holdings.getStore() }, callback);
}

/** True when the running code was started by the callback that works with `by`. */
export function isHeldBy(by: object): boolean {
  for (let holding = holdings.getStore(); holding; holding = holding.outer) {
    if (holding.by === by) return true;
  }
  return false;
}

/** True when the running code was started by any callback that holds a session. */
export function holdsSomething(): boolean {
  return holdings.getStore() !== undefined;
}

/** The loans that the running code waits inside of, innermost first. */
export function heldLeases(): readonly Lease[] {
  const leases: Lease[] = [];
  for (let holding = holdings.getStore(); holding; holding = holding.outer) {
    if (!holding.lease.ended && !leases.includes(holding.lease)) leases.push(holding.lease);
  }
  return leases;
}
