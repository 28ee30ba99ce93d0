import { isDalError } from '@dal/core';

/** More are never kept; an error that is thrown again and again would grow without end. */
const MOST = 100;

/** For errors that can't carry them: frozen ones, and those with an `attempts` of their own. */
const aside = new WeakMap<object, readonly Error[]>();

/**
 * What the attempts before an error failed of, oldest first; empty when there was one attempt only.
 * Nearly always the same as `error.attempts`, but also there for errors that can't be changed.
 */
export function attemptsOf(error: unknown): readonly Error[] {
  if (typeof error !== 'object' || error === null) return [];
  const kept = aside.get(error);
  if (kept !== undefined) return kept;
  const own = isDalError(error) ? error.attempts : undefined;
  return own ?? [];
}

/** Gives an error the attempts before it; the error stays the same one. */
export function attachAttempts(error: unknown, earlier: readonly unknown[]): void {
  if (earlier.length === 0 || typeof error !== 'object' || error === null) return;
  // The error's own come last: a retry inside the last attempt collected them.
  const all = new Set([...earlier.map(asError), ...attemptsOf(error)]);
  // One error object may be thrown by several attempts. In its own list it would be a circle.
  all.delete(error as Error);
  if (all.size === 0) return;
  const attempts = [...all].slice(-MOST);
  aside.set(error, attempts);
  if (isDalError(error) || !('attempts' in error) || attached.has(error)) {
    const done = Reflect.defineProperty(error, 'attempts', {
      value: attempts,
      configurable: true,
      enumerable: true,
      writable: true,
    });
    if (done) attached.add(error);
  }
}

/** Errors whose property `attempts` is ours. */
const attached = new WeakSet<object>();

function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('Something that is not an error was thrown.', { cause: thrown });
}
