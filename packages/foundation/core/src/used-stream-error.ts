import { QueryError } from './errors.ts';

/** A stream is looped over a second time. */
export function usedStreamError(): QueryError {
  return new QueryError(
    'This stream was read already; its rows are gone. Call stream() again for another loop.',
    { kind: 'usage', code: 'DAL_STREAM_USED' },
  );
}
