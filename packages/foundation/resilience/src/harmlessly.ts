import { isThenable } from './wrap-function.ts';

/** Calls what a user gave to be told or asked. When it fails, a warning says so and nothing else happens. */
export function harmlessly<T>(what: string, call: () => T): T | undefined {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, (error: unknown) => warn(what, error));
    return result;
  } catch (error) {
    warn(what, error);
    return undefined;
  }
}

/** A listener that fails each time must not drown the log. */
const PAUSE_MS = 1_000;
const warnedAt = new Map<string, number>();

/** @param what one of few: where the function was given */
function warn(what: string, error: unknown): void {
  const now = performance.now();
  if (now - (warnedAt.get(what) ?? -Infinity) < PAUSE_MS) return;
  warnedAt.set(what, now);
  const words = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
  process.emitWarning(`${what} failed, which changed nothing else. ${words}`, {
    type: 'ListenerWarning',
    code: 'DAL_LISTENER_FAILED',
  });
}
