import { PoolError } from '@dal/core';

/** A connection is used after the callback that it was lent to. */
export function givenBackError(): PoolError {
  return new PoolError(
    'This connection was given back when its callback ended; nothing was sent.',
    { kind: 'usage', code: 'DAL_USE_AFTER_RELEASE' },
  );
}
