import { abortError, type Deadline, remainingMs, TransactionError } from '@dal/core';

interface Waiter {
  /** Who wants to be inside; undefined for a statement, which only passes. */
  readonly who: object | undefined;
  readonly go: () => void;
}

/**
 * Lets one nested transaction in at a time. Savepoints are a stack: what is sent between a savepoint
 * and its end is undone with it, so the neighbours of a nested transaction wait, in order.
 */
export class NestingGate<Nested extends object> {
  #inside: Nested | undefined;
  readonly #waiting: Waiter[] = [];

  /** The nested transaction that is open. */
  get inside(): Nested | undefined {
    return this.#inside;
  }

  get isFree(): boolean {
    return this.#inside === undefined && this.#waiting.length === 0;
  }

  /** Waits until no nested transaction is open; undefined when that is so already. */
  pass(deadline: Deadline): Promise<void> | undefined {
    return this.isFree ? undefined : this.#wait(undefined, deadline);
  }

  /** Waits like `pass`, and is inside then, until `leave`. */
  enter(nested: Nested, deadline: Deadline): Promise<void> | undefined {
    if (!this.isFree) return this.#wait(nested, deadline);
    this.#inside = nested;
    return undefined;
  }

  leave(): void {
    this.#inside = undefined;
    while (this.#inside === undefined) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#inside = next.who as Nested | undefined;
      next.go();
    }
  }

  #wait(who: Nested | undefined, deadline: Deadline): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = deadline;
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        who,
        go: () => {
          settle();
          resolve();
        },
      };
      const giveUp = (error: Error): void => {
        settle();
        const place = this.#waiting.indexOf(waiter);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(error);
      };
      const onAbort = (): void => giveUp(abortError(signal as AbortSignal, 'The statement'));
      const left = remainingMs(deadline);
      const timer =
        left === Infinity ? undefined : setTimeout(() => giveUp(waitedTooLong(deadline)), left);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiter);
      if (signal?.aborted) onAbort();
    });
  }
}

function waitedTooLong({ timeoutMs }: Deadline): TransactionError {
  return new TransactionError(
    `What came before it on this connection was not over after ${Math.round(timeoutMs)} ms; it was never sent. Where that was a nested transaction: inside the nested callback, use the transaction that it was given.`,
    {
      kind: 'statementTimeout',
      code: 'DAL_STATEMENT_TIMEOUT',
      fault: { kind: 'statementTimeout', applied: 'no' },
    },
  );
}
