import { abortError, type Deadline, deadlines, type Watched } from '@dal/core';
import type { NestedWait } from './nested-acquire.ts';
import type { Session } from './session.ts';

/** Somebody in the queue for a session; is given one or refused, once. */
export class Waiter<Raw> implements Watched {
  place = -1;
  readonly deadline: Deadline;
  readonly give: (session: Session<Raw>) => void;
  /** Set when the waiting code holds a session of this pool already. */
  nested: NestedWait | undefined;
  readonly #refuse: (error: unknown) => void;
  readonly #onLate: (waiter: Waiter<Raw>) => void;
  #onAbort: (() => void) | undefined;

  /**
   * @param onLate called when the deadline has passed
   * @param onAbort called with the error, when the signal was aborted
   */
  constructor(
    deadline: Deadline,
    give: (session: Session<Raw>) => void,
    refuse: (error: unknown) => void,
    onLate: (waiter: Waiter<Raw>) => void,
    onAbort: (waiter: Waiter<Raw>, error: Error) => void,
  ) {
    this.deadline = deadline;
    this.give = give;
    this.#refuse = refuse;
    this.#onLate = onLate;
    const { at, signal } = deadline;
    if (at !== Infinity) deadlines.add(this);
    if (signal) {
      this.#onAbort = () => onAbort(this, abortError(signal, 'Acquiring a connection'));
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  get deadlineAt(): number {
    return this.deadline.at;
  }

  onDeadline(): void {
    this.#onLate(this);
  }

  /** To be called first, whatever the end of the wait is. */
  end(): void {
    deadlines.delete(this);
    this.nested?.end();
    if (this.#onAbort) this.deadline.signal?.removeEventListener('abort', this.#onAbort);
  }

  refuse(error: unknown): void {
    this.end();
    this.#refuse(error);
  }
}
