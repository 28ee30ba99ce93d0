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

function warn(what: string, error: unknown): void {
  const words = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
  process.emitWarning(`${what} failed, which changed nothing else. ${words}`, {
    type: 'ListenerWarning',
    code: 'DAL_LISTENER_FAILED',
  });
}
