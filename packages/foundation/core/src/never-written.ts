/**
 * True for the error that Node itself makes when a socket whose other side has already ended is
 * written to: the bytes were refused before they left, so the statement surely did nothing. The
 * operating system's EPIPE, which has an errno, says nothing of the kind.
 */
export function isNeverWritten(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, errno } = error as { readonly code?: unknown; readonly errno?: unknown };
  return code === 'EPIPE' && errno === undefined;
}
