import { LiveList, type Placed } from './live-list.ts';

/** Something that is to be stopped at a moment, unless it has ended by then. */
export interface Watched extends Placed {
  /** On the clock of `performance.now()`. */
  readonly deadlineAt: number;
  /** Called once, when the moment has passed. */
  onDeadline(): void;
}

/**
 * Many deadlines under one timer. Statements nearly always end long before their time, so a timer
 * for each would be armed and taken away for nothing; here adding and taking away costs a place in
 * a set. The timer does not keep the process alive, since what is waited for does: a socket. Where
 * nothing but the deadline would, `hold` says so.
 */
export class DeadlineWatch {
  readonly #watched = new LiveList<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Infinity;
  #holders = 0;
  readonly #onTimer = (): void => this.#look();

  add(watched: Watched): void {
    this.#watched.add(watched);
    if (watched.deadlineAt < this.#armedFor) this.#arm(watched.deadlineAt);
  }

  delete(watched: Watched): void {
    this.#watched.delete(watched);
  }

  /** Until as many `letGo`, the process stays for as long as there is a deadline. */
  hold(): void {
    if (this.#holders++ === 0) this.#timer?.ref();
  }

  letGo(): void {
    if (--this.#holders === 0) this.#timer?.unref();
  }

  #arm(moment: number): void {
    clearTimeout(this.#timer);
    this.#armedFor = moment;
    const left = Math.min(Math.max(1, moment - performance.now()), MAX_TIMER_MS);
    this.#timer = setTimeout(this.#onTimer, left);
    if (this.#holders === 0) this.#timer.unref();
  }

  #look(): void {
    this.#timer = undefined;
    this.#armedFor = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const watched of this.#watched) {
      if (watched.deadlineAt <= now) {
        // Not there any more: the end of another one was its end too.
        if (this.#watched.delete(watched)) watched.onDeadline();
      } else if (watched.deadlineAt < next) next = watched.deadlineAt;
    }
    // What was added meanwhile has armed the timer already, perhaps for an earlier moment.
    if (next < this.#armedFor) this.#arm(next);
  }
}

/** One for the process: a deadline is a moment, whatever database it belongs to. */
export const deadlines: DeadlineWatch = new DeadlineWatch();

/** Node's timers take no more; a look too early does no harm. */
const MAX_TIMER_MS = 2_147_483_647;
