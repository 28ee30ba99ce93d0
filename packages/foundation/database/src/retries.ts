import {
  channels,
  type DalError,
  type Deadline,
  type Fault,
  remainingMs,
  sleepWithin,
} from '@dal/core';
import { backoff, retryVerdict } from '@dal/resilience';
import type { Runtime } from './runtime.ts';
import { toDalError } from './to-dal-error.ts';

/** The attempts after a first one that failed: whether there may be another, and when. */
export class Retries {
  readonly #runtime: Runtime;
  readonly #deadline: Deadline;
  readonly #max: number;
  /** The statement, or undefined for a whole transaction. */
  readonly #shown: string | undefined;
  readonly #may: (fault: Fault) => boolean;
  readonly #failed: DalError[] = [];
  readonly #nextDelay: () => number;

  constructor(
    runtime: Runtime,
    deadline: Deadline,
    max: number,
    shown: string | undefined,
    may: (fault: Fault) => boolean,
  ) {
    this.#runtime = runtime;
    this.#deadline = deadline;
    this.#max = max;
    this.#shown = shown;
    this.#may = may;
    this.#nextDelay = backoff(runtime.settings.retry);
  }

  /** The last attempt met a server that takes no writes; another one is to be found. */
  get needWritable(): boolean {
    return this.#failed.at(-1)?.kind === 'readOnly';
  }

  /**
   * Resolves when it is time for another attempt.
   *
   * @throws what failed, with the attempts before it, when there may not be another
   */
  async waitForNext(thrown: unknown): Promise<void> {
    const { driver, name, hooks, pool, budget } = this.#runtime;
    const error = toDalError(driver, name, thrown, this.#shown);
    const attempt = this.#failed.length + 1;
    const delayMs = this.#nextDelay();
    const may =
      error.fault !== undefined &&
      attempt <= this.#max &&
      this.#may(error.fault) &&
      delayMs < remainingMs(this.#deadline) &&
      (isContention(error.fault) || budget.tryRetry());
    if (!may) {
      if (this.#failed.length > 0) error.attempts = this.#failed;
      throw error;
    }
    this.#failed.push(error);
    pool.count('retries');
    if (hooks.watched || channels.retry.hasSubscribers) {
      const event = { database: name, statement: this.#shown, attempt, delayMs, error };
      hooks.emit('retry', event);
      channels.retry.publish(event);
    }
    await sleepWithin(this.#deadline, delayMs);
  }
}

/** For a statement that stands by itself, or comes first where nothing depends on its session yet. */
export function statementRetries(
  runtime: Runtime,
  deadline: Deadline,
  shown: string,
  idempotent: boolean,
): Retries {
  return new Retries(runtime, deadline, runtime.settings.retry.maxRetries, shown, (fault) => {
    const { seeksPrimary } = runtime.pool;
    return retryVerdict(fault, { autocommit: true, idempotent, seeksPrimary });
  });
}

/**
 * No storm comes of these: the server has decided between two who are in each other's way, or the
 * attempt waits in the pool until the new primary is found.
 */
function isContention({ kind }: Fault): boolean {
  return kind === 'serialization' || kind === 'deadlock' || kind === 'readOnly';
}
