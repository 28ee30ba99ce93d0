import { busyError } from './transaction-errors.ts';

/** What was started on the connection of a transaction and has not ended, each with its text. */
export class PendingWork {
  readonly #running = new Map<Promise<unknown>, string>();
  readonly #oneAtATime: boolean;

  /** @param oneAtATime work that is started beside other work is refused */
  constructor(oneAtATime: boolean) {
    this.#oneAtATime = oneAtATime;
  }

  /** Starts work and remembers it until it ends. @throws busyError */
  start<T>(shown: string, work: () => Promise<T>): Promise<T> {
    if (this.#oneAtATime) {
      const [running] = this.#running.values();
      if (running !== undefined) throw busyError(running, shown);
    }
    const running = work();
    this.#running.set(running, shown);
    const forget = (): void => {
      this.#running.delete(running);
    };
    running.then(forget, forget);
    return running;
  }

  /** Waits for what was started and not awaited, and for what that starts. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.keys());
  }
}
