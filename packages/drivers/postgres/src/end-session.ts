import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, ConnectionError } from '@dal/core';

/** Asks the server; answers the rows as lists. */
export type Ask = (text: string, values?: readonly unknown[]) => Promise<unknown[]>;

/** A session that stays beyond this has a server that is frozen, or waits for its replicas. */
const GONE_TIMEOUT_MS = 10_000;

/**
 * Ends another session of the same server. Resolves when the server no longer lists it: by then its
 * transaction is over, one way or the other.
 */
export async function endSession(ask: Ask, id: string): Promise<void> {
  if (!/^\d{1,10}$/.test(id)) {
    throw new ConfigError('The id of a PostgreSQL session is the number of its process.', {
      kind: 'usage',
      code: 'DAL_VALUE',
    });
  }
  const [told] = (await ask(
    'SELECT backend_start::text, pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid = $1::int',
    [id],
  )) as [string, boolean][];
  if (told === undefined) return;
  const started = performance.now();
  for (let pauseMs = 1; performance.now() - started < GONE_TIMEOUT_MS; pauseMs *= 2) {
    // By its start as well: the number may belong to another session by now.
    const listed = await ask(
      'SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = $1::int AND backend_start = $2::timestamptz',
      [id, told[0]],
    );
    if (listed.length === 0) return;
    await sleep(Math.min(pauseMs, 50));
  }
  throw new ConnectionError(
    `Session ${id} was told to end, but is still listed after ${GONE_TIMEOUT_MS / 1_000} s.`,
    { kind: 'statementTimeout', code: 'DAL_KILL' },
  );
}
