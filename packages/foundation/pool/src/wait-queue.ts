import type { Waiter } from './waiter.ts';

/** First come, first served. Whoever gives up is out at once, wherever in the queue. */
export class WaitQueue<Raw> {
  #first: Waiter<Raw> | undefined;
  #last: Waiter<Raw> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(waiter: Waiter<Raw>): void {
    waiter.before = this.#last;
    if (this.#last) this.#last.after = waiter;
    else this.#first = waiter;
    this.#last = waiter;
    waiter.queued = true;
    this.#size++;
  }

  shift(): Waiter<Raw> | undefined {
    const first = this.#first;
    if (first) this.delete(first);
    return first;
  }

  /** False when it is not in the queue any more. */
  delete(waiter: Waiter<Raw>): boolean {
    if (!waiter.queued) return false;
    const { before, after } = waiter;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    // One that is gone must not keep those alive who stood around it.
    waiter.before = undefined;
    waiter.after = undefined;
    waiter.queued = false;
    this.#size--;
    return true;
  }
}
