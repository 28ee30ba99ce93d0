import { isDalError } from '@dal/core';

/** More are never kept: an error object that is thrown again and again would grow without end. */
const MOST = 100;

const kept = new WeakMap<object, readonly Error[]>();

/**
 * What the attempts before an error failed of, oldest first; empty when there was only one attempt.
 * The same as `error.attempts`, but also for frozen errors and those with an `attempts` of their own.
 */
export function attemptsOf(error: unknown): readonly Error[] {
  if (typeof error !== 'object' || error === null) return [];
  return kept.get(error) ?? (isDalError(error) ? error.attempts : []);
}

/** Gives an error the attempts before it. The error stays the same object. */
export function attachAttempts(error: unknown, earlier: readonly unknown[]): void {
  if (earlier.length === 0 || typeof error !== 'object' || error === null) return;
  const before = attemptsOf(error);
  // Its own come last: they were collected by a retry inside the last attempt.
  const all = new Set([...earlier.map(asError), ...before]);
  // Several attempts may throw the same object. In its own list it would be a circle.
  all.delete(error as Error);
  if (all.size === 0) return;
  const attempts = [...all].slice(-MOST);
  const isFree = !('attempts' in error) || error.attempts === before;
  if (isFree) {
    // Unlike an assignment this throws nothing when the error is frozen.
    Reflect.defineProperty(error, 'attempts', {
      value: attempts,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  kept.set(error, attempts);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('Something that is not an error was thrown.', { cause: thrown });
}
