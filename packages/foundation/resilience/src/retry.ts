// How a function runs again. Nothing of it is entered before something failed: a call that works
// costs one look at the clock and, when it answers with a promise, one more promise.
import { abortError, type Deadline, deadlineAfter, remainingMs, sleepWithin } from '@dal/core';
import { attachAttempts } from './attempts.ts';
import { backoff } from './backoff.ts';
import { harmlessly } from './harmlessly.ts';
import { readRetryOptions, type RetryOptions, type RetrySettings } from './retry-options.ts';
import { sleepBlocking } from './sleep-blocking.ts';
import {
  answersLater,
  type AnyFunction,
  applyTool,
  type Callable,
  type CallName,
  type FunctionWrapper,
  isThenable,
  type MethodContext,
} from './wrap-function.ts';

/**
 * Runs a function again when it failed and another attempt may do better. Wraps functions and
 * decorates methods, both sync and async; what they answer stays the same.
 *
 * By default only errors that surely had no effect lead to another attempt, see `retryVerdict`. The
 * function runs from its start: several statements belong into a transaction inside it.
 * The last error is thrown as it is, with those before it as `attempts`.
 *
 * A function that answers without a promise waits by blocking its thread.
 *
 * @throws ConfigError for wrong options, when it is applied
 * @example
 * const load = retry({ maxRetries: 5 })((id: number) => db.queryOne('SELECT ...', [id]));
 *
 * class Orders {
 *   @retry({ totalTimeoutMs: '5s' })
 *   async find(id: number) { ... }
 * }
 */
export function retry(options?: RetryOptions): FunctionWrapper;
export function retry<Fn extends AnyFunction>(fn: Fn, options?: RetryOptions | MethodContext): Fn;
export function retry(
  first?: RetryOptions | AnyFunction,
  second?: RetryOptions | MethodContext,
): unknown {
  return applyTool('retry', first, second, (options) => {
    const settings = readRetryOptions(options);
    return (fn, name) => withRetry(fn, name, settings);
  });
}

function withRetry(fn: Callable, { method }: CallName, settings: RetrySettings): Callable {
  let isLate = answersLater(fn);
  return function retrying(this: unknown, ...args) {
    const startedAt = performance.now();
    const call = (): unknown => fn.apply(this, args);
    settings.budget?.earn();
    let result: unknown;
    try {
      result = call();
    } catch (error) {
      const plan = new RetryPlan(method, settings, startedAt);
      // It answers with promises, but checks its arguments before: its caller expects a promise.
      return isLate ? againLater(call, plan, error) : againNow(call, plan, error);
    }
    if (!isThenable(result)) return result;
    isLate = true;
    return result.then(undefined, (error: unknown) =>
      againLater(call, new RetryPlan(method, settings, startedAt), error),
    );
  };
}

async function againLater(call: () => unknown, plan: RetryPlan, first: unknown): Promise<unknown> {
  for (let error = first; ;) {
    await plan.wait(plan.next(error));
    try {
      return await call();
    } catch (thrown) {
      error = thrown;
    }
  }
}

function againNow(call: () => unknown, plan: RetryPlan, first: unknown): unknown {
  for (let error = first; ;) {
    sleepBlocking(plan.next(error));
    try {
      const result = call();
      if (!isThenable(result)) return result;
      return result.then(undefined, (thrown: unknown) => againLater(call, plan, thrown));
    } catch (thrown) {
      error = thrown;
    }
  }
}

/** The attempts of one call after its first: whether there is another, and when. */
class RetryPlan {
  readonly #name: string;
  readonly #settings: RetrySettings;
  readonly #deadline: Deadline;
  readonly #failed: unknown[] = [];
  readonly #nextDelay: () => number;

  constructor(name: string, settings: RetrySettings, startedAt: number) {
    this.#name = name;
    this.#settings = settings;
    const left = settings.totalTimeoutMs - (performance.now() - startedAt);
    this.#deadline = deadlineAfter(Math.max(0, left), settings.signal);
    this.#nextDelay = backoff(settings);
  }

  /**
   * How long to wait for the next attempt.
   *
   * @throws the error itself, with the attempts before it, when there is to be none
   */
  next(error: unknown): number {
    const { maxRetries, retryOn, signal, budget, onRetry } = this.#settings;
    const left = remainingMs(this.#deadline);
    const may = this.#failed.length < maxRetries && left > 0 && retryOn(error);
    if (may && signal?.aborted) {
      this.#failed.push(error);
      this.#giveUp(abortError(signal, 'Waiting for another attempt'));
    }
    if (!may || budget?.tryRetry() === false) this.#giveUp(error);
    this.#failed.push(error);
    const drawn = this.#nextDelay();
    // What doesn't fit is drawn from the time that is left, so that the last attempt is not lost.
    const delayMs = drawn < left ? drawn : Math.random() * left;
    if (onRetry) {
      const event = { name: this.#name, attempt: this.#failed.length, delayMs, error };
      harmlessly('The listener onRetry', () => onRetry(event));
    }
    return delayMs;
  }

  async wait(delayMs: number): Promise<void> {
    try {
      await sleepWithin(this.#deadline, delayMs);
    } catch (aborted) {
      this.#giveUp(aborted);
    }
  }

  #giveUp(error: unknown): never {
    attachAttempts(error, this.#failed);
    throw error;
  }
}
