import { deadlines, type Watched } from '@dal/core';
import type { Waiter } from './waiter.ts';

/**
 * First come, first served. Whoever gives up is out at once, wherever in the queue. All of them share
 * one place among the deadlines: nearly all are served long before their time.
 */
export class WaitQueue<Raw> implements Watched {
  place = -1;
  /** No one who waits has an earlier deadline. */
  deadlineAt: number = Infinity;
  readonly #onLate: (waiter: Waiter<Raw>) => void;
  #first: Waiter<Raw> | undefined;
  #last: Waiter<Raw> | undefined;
  #size = 0;

  /** @param onLate told of each whose deadline has passed, and who is out */
  constructor(onLate: (waiter: Waiter<Raw>) => void) {
    this.#onLate = onLate;
  }

  get size(): number {
    return this.#size;
  }

  push(waiter: Waiter<Raw>): void {
    const last = this.#last;
    waiter.before = last;
    if (last) last.after = waiter;
    else this.#first = waiter;
    this.#last = waiter;
    waiter.queued = true;
    // Sessions that rest or are lent may hold nothing that keeps the process, and so nobody else would.
    if (this.#size++ === 0) deadlines.hold();
    const { at } = waiter.deadline;
    if (at < this.deadlineAt) this.#watchFrom(at);
  }

  shift(): Waiter<Raw> | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    const { after } = first;
    this.#first = after;
    if (after) {
      after.before = undefined;
      first.after = undefined;
    } else this.#last = undefined;
    first.queued = false;
    if (--this.#size === 0) deadlines.letGo();
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
    if (--this.#size === 0) deadlines.letGo();
    return true;
  }

  onDeadline(): void {
    const now = performance.now();
    const late: Waiter<Raw>[] = [];
    let next = Infinity;
    for (let waiter = this.#first; waiter; waiter = waiter.after) {
      const { at } = waiter.deadline;
      if (at <= now) late.push(waiter);
      else if (at < next) next = at;
    }
    this.#watchFrom(next);
    for (const waiter of late) if (this.delete(waiter)) this.#onLate(waiter);
  }

  /** Nobody comes any more. */
  close(): void {
    deadlines.delete(this);
  }

  #watchFrom(moment: number): void {
    deadlines.delete(this);
    this.deadlineAt = moment;
    if (moment !== Infinity) deadlines.add(this);
  }
}
