import { abortError, type Deadline, deadlines, type Watched } from '@dal/core';
import type { Lease } from './lease.ts';
import type { NestedWait } from './nested-acquire.ts';

/** Where waiters turn to when they give up. */
export interface WaiterOwner<Raw> {
  /** The deadline has passed. */
  onLate(waiter: Waiter<Raw>): void;
  leave(waiter: Waiter<Raw>, error: Error): void;
}

/** Somebody in the queue for a session; is given a loan or refused, once. */
export class Waiter<Raw> implements Watched {
  place = -1;
  queued = false;
  before: Waiter<Raw> | undefined;
  after: Waiter<Raw> | undefined;
  readonly deadline: Deadline;
  /** On the clock of `performance.now()`. */
  readonly since: number;
  readonly origin: Error | undefined;
  /** Set when the waiting code holds a session of this pool already. */
  nested: NestedWait | undefined;
  readonly #owner: WaiterOwner<Raw>;
  readonly #resolve: (lease: Lease<Raw>) => void;
  readonly #reject: (error: unknown) => void;
  #onAbort: (() => void) | undefined;

  constructor(
    owner: WaiterOwner<Raw>,
    deadline: Deadline,
    since: number,
    origin: Error | undefined,
    resolve: (lease: Lease<Raw>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#owner = owner;
    this.deadline = deadline;
    this.since = since;
    this.origin = origin;
    this.#resolve = resolve;
    this.#reject = reject;
    const { at, signal } = deadline;
    if (at !== Infinity) deadlines.add(this);
    if (signal) {
      this.#onAbort = () => owner.leave(this, abortError(signal, 'Acquiring a connection'));
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  get deadlineAt(): number {
    return this.deadline.at;
  }

  onDeadline(): void {
    this.#owner.onLate(this);
  }

  give(lease: Lease<Raw>): void {
    this.#end();
    this.#resolve(lease);
  }

  refuse(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    deadlines.delete(this);
    this.nested?.end();
    if (this.#onAbort) this.deadline.signal?.removeEventListener('abort', this.#onAbort);
  }
}
