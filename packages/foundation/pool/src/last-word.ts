import { type Driver, type ServerRole, within } from '@dal/core';
import type { ConnectAttempts } from './connect-attempts.ts';
import { bidFarewell, type KnownServer } from './known-server.ts';
import { isAway, meetServer } from './meet-server.ts';

export type LastWord = 'primary' | 'other' | 'none';

export interface LastWordParts<Options, Raw> {
  readonly driver: Driver<Options, Raw>;
  readonly attempts: ConnectAttempts;
  isPrimary(role: ServerRole): boolean;
}

/** What a server says of itself on a session of its own, for which there need not be a place. */
export async function lastWordOf<Options, Raw>(
  server: KnownServer<Options>,
  patienceMs: number,
  { driver, attempts, isPrimary }: LastWordParts<Options, Raw>,
): Promise<LastWord> {
  const late = new AbortController();
  const heard = Promise.withResolvers<void>();
  let word: LastWord = 'none';
  const asked = attempts.run(async (signal) => {
    const met = await meetServer(driver, server, true, AbortSignal.any([signal, late.signal]));
    word = met.role && isPrimary(met.role) ? 'primary' : 'other';
    heard.resolve();
    await bidFarewell(met.connection, signal);
  });
  asked.catch((error: unknown) => {
    // Full, for example: not silent.
    if (!late.signal.aborted && !isAway(driver, error)) word = 'primary';
    heard.resolve();
  });
  await within(Math.max(patienceMs, server.connectMs * 2), heard.promise);
  if (word === 'none') late.abort();
  return word;
}
