import { abortError, type Deadline, type LiveList } from '@dal/core';
import { copyOf } from './acquire-errors.ts';
import { holdsSomething } from './holding.ts';
import type { Lease } from './lease.ts';
import { watchNestedWait } from './nested-acquire.ts';
import type { PoolCounts } from './pool-counts.ts';
import { WaitQueue } from './wait-queue.ts';
import { Waiter } from './waiter.ts';

export interface WaitingRoomParts<Raw> {
  readonly name: string;
  readonly leases: LiveList<Lease<Raw>>;
  readonly counts: PoolCounts;
  /** How many sessions there may be. */
  limit(): number;
  /** What somebody is told whose time is over. */
  lateError(deadline: Deadline): Error;
}

/** Those who wait for a session, and the ways in which they leave without one. */
export class WaitingRoom<Raw> {
  readonly #parts: WaitingRoomParts<Raw>;
  readonly #queue: WaitQueue<Raw>;

  constructor(parts: WaitingRoomParts<Raw>) {
    this.#parts = parts;
    this.#queue = new WaitQueue((waiter) =>
      this.#turnAway(waiter, parts.lateError(waiter.deadline)),
    );
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Waits until the deadline or its signal. */
  enter(deadline: Deadline, origin: Error | undefined, now: number): Promise<Lease<Raw>> {
    return new Promise((resolve, reject) => {
      const waiter = new Waiter<Raw>(deadline, now, origin, resolve, reject);
      if (deadline.signal) this.#listen(waiter, deadline.signal);
      if (holdsSomething()) this.#watchNested(waiter);
      this.#queue.push(waiter);
    });
  }

  /** Whoever has waited longest, to be given a loan. */
  next(): Waiter<Raw> | undefined {
    return this.#queue.shift();
  }

  /** Whoever has waited longest learns why; the others get an attempt of their own. */
  refuseFirst(error: unknown): void {
    const first = this.#queue.shift();
    if (first) this.#turnAway(first, error);
  }

  /** All who wait now learn why; those who come while they are told are not meant. */
  refuseAll(error: unknown): void {
    for (let count = this.#queue.size; count > 0; count--) this.refuseFirst(copyOf(error));
  }

  /** Sends all away; nobody may enter any more. */
  close(errorForOne: () => Error): void {
    while (this.#queue.size > 0) this.refuseFirst(errorForOne());
    this.#queue.close();
  }

  #listen(waiter: Waiter<Raw>, signal: AbortSignal): void {
    waiter.onAbort = () => this.#leave(waiter, abortError(signal, 'Acquiring a connection'));
    signal.addEventListener('abort', waiter.onAbort, { once: true });
  }

  #watchNested(waiter: Waiter<Raw>): void {
    const { leases, limit, name } = this.#parts;
    const refuse = (error: Error): void => this.#leave(waiter, error);
    waiter.nested = watchNestedWait(leases, limit(), refuse, name);
  }

  /** Somebody gives up the place in the queue. */
  #leave(waiter: Waiter<Raw>, error: Error): void {
    if (this.#queue.delete(waiter)) this.#turnAway(waiter, error);
  }

  #turnAway(waiter: Waiter<Raw>, error: unknown): void {
    this.#parts.counts.acquireFailures++;
    waiter.refuse(error);
  }
}
