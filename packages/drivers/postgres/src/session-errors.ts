import { ConnectionError, QueryError } from '@dal/core';

/** Between two flights; what was sent is undone with the transaction. */
export function interrupted(): QueryError {
  return new QueryError('The statement was stopped between two of its rows.', {
    kind: 'cancelled',
    code: 'DAL_CANCELLED',
    fault: { kind: 'cancelled', applied: 'no' },
  });
}

/** For a statement that came after the end. */
export function refused(cause: Error): ConnectionError {
  return ended('The session had ended before the statement; nothing was sent.', 'no', cause);
}

export function ended(message: string, applied: 'no' | 'unknown', cause?: Error): ConnectionError {
  return new ConnectionError(message, {
    code: 'DAL_CONNECTION',
    fault: { kind: 'connection', connectionLost: true, applied },
    ...(cause ? { cause } : {}),
  });
}
