import { type DalError, isDalError } from './errors.ts';

const behind = Symbol.for('dal.error.behind');

/**
 * What code that was written for the driver's library expects to catch: the library's own error where
 * the server judged the statement (`code: '23505'`, `ER_DUP_ENTRY`), else the error as it is: a timeout,
 * no connection, an unknown outcome are the layer's.
 */
export function libraryError(error: unknown): unknown {
  if (!isDalError(error)) return error;
  const { cause, fault } = error;
  if (fault === undefined || fault.connectionLost) return error;
  if (!(cause instanceof Error) || isDalError(cause)) return error;
  // Not enumerable, since loggers print what is.
  Object.defineProperty(cause, behind, { value: error, configurable: true });
  return cause;
}

/** The layer's error behind one that `libraryError` gave out: its `kind`, `fault` and `attempts`. */
export function dalErrorOf(error: unknown): DalError | undefined {
  if (isDalError(error)) return error;
  if (typeof error !== 'object' || error === null) return undefined;
  return (error as { readonly [behind]?: DalError })[behind];
}
