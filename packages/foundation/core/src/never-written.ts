/**
 * True when the write of a statement failed, so that the server never had all of it and did nothing.
 *
 * Node makes an EPIPE of its own, without an errno, for a socket whose other side has ended. The
 * operating system fails a write with EPIPE or ECONNRESET when it takes none of its bytes any more;
 * whatever it had taken before lacks the statement's end. A failed read says nothing of the kind.
 */
export function isNeverWritten(error: unknown): error is { readonly code: 'EPIPE' | 'ECONNRESET' } {
  if (typeof error !== 'object' || error === null) return false;
  const { code, errno, syscall } = error as Readonly<Record<string, unknown>>;
  if (code === 'EPIPE' && errno === undefined) return true;
  return syscall === 'write' && (code === 'EPIPE' || code === 'ECONNRESET');
}
