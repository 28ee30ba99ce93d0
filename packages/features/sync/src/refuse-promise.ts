import { ConfigError } from '@dal/core';

/** A promise's work could only begin after the callback has ended. */
export function refusePromise(result: unknown): void {
  if (typeof (result as { then?: unknown } | undefined)?.then !== 'function') return;
  // What it does later is refused; that is no reason to end the program.
  (result as PromiseLike<unknown>).then(undefined, () => undefined);
  throw new ConfigError(
    'The callback of a blocking call returned a promise. Nothing can be awaited in it: use blocking calls there, or the awaited twin of this one. What it did is rolled back.',
    { kind: 'usage', code: 'DAL_SYNC_ASYNC_CALLBACK' },
  );
}
