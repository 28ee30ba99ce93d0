import { ConnectionError, PoolError } from '@dal/core';

/** A handle was used after its connection went to somebody else. */
export function releasedError(): PoolError {
  return new PoolError(
    'This connection was given back already; nothing was sent. Acquire another one.',
    { kind: 'usage', code: 'DAL_USE_AFTER_RELEASE' },
  );
}

/** A handle was used after its session was lost and given up. */
export function lostError(name: string, cause: Error | undefined): ConnectionError {
  return new ConnectionError(
    `The connection to "${name}" was lost; nothing was sent. Acquire another one.`,
    {
      kind: 'connection',
      code: 'DAL_CONNECTION_LOST',
      cause,
      fault: { kind: 'connection', connectionLost: true, applied: 'no' },
    },
  );
}
