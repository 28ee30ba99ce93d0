import type { Deadline } from '@dal/core';
import type { Lease } from './lease.ts';
import type { NestedWait } from './nested-acquire.ts';

/** Somebody in the queue for a session; is given a loan or refused, once. */
export class Waiter<Raw> {
  queued = false;
  before: Waiter<Raw> | undefined;
  after: Waiter<Raw> | undefined;
  readonly deadline: Deadline;
  /** On the clock of `performance.now()`. */
  readonly since: number;
  readonly origin: Error | undefined;
  /** Set when the waiting code holds a session of this pool already. */
  nested: NestedWait | undefined;
  /** Set when there is a signal to listen to. */
  onAbort: (() => void) | undefined;
  readonly #resolve: (lease: Lease<Raw>) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    deadline: Deadline,
    since: number,
    origin: Error | undefined,
    resolve: (lease: Lease<Raw>) => void,
    reject: (error: unknown) => void,
  ) {
    this.deadline = deadline;
    this.since = since;
    this.origin = origin;
    this.#resolve = resolve;
    this.#reject = reject;
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
    this.nested?.end();
    if (this.onAbort) this.deadline.signal?.removeEventListener('abort', this.onAbort);
  }
}
