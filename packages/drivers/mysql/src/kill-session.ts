import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError } from '@dal/core';
import type { Line } from './line.ts';

/** "Unknown thread id": no session has this number. */
const NO_SUCH_THREAD = 1094;
const FIRST_LOOK_MS = 2;
const LOOK_MS = 100;

/**
 * Ends a session with KILL, and comes back when the server doesn't know it any more: it leaves the
 * list only after its transaction is rolled back and its locks are free. A long rollback takes its
 * time; who can't wait cancels.
 *
 * @throws ConfigError for what is no number of a session
 */
export async function killSession(
  line: Line,
  id: string,
  onStop: (stop: (error: Error) => void) => void,
): Promise<void> {
  if (!/^[1-9]\d{0,19}$/.test(id)) {
    throw new ConfigError('The id of a session is its number, as text. Nothing was sent.', {
      code: 'DAL_SESSION_ID',
      kind: 'usage',
    });
  }
  if (id === String(line.threadId)) {
    throw new ConfigError('A session can not kill itself; close it. Nothing was sent.', {
      code: 'DAL_SESSION_ID',
      kind: 'usage',
    });
  }
  let stopped: Error | undefined;
  onStop((error) => (stopped = error));
  for (let wait = FIRST_LOOK_MS; await kill(line, `KILL CONNECTION ${id}`);) {
    await pause(wait);
    if (stopped) throw stopped;
    wait = Math.min(LOOK_MS, wait * 2);
  }
}

/** Stops what a session runs. */
export async function killQuery(line: Line, id: number): Promise<void> {
  await kill(line, `KILL QUERY ${id}`);
}

/** False when there is no such session, so that nothing of it runs either. */
function kill(line: Line, text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    line.query({ sql: text, rowsAsArray: false }, (error) => {
      if (!error) resolve(true);
      else if ((error as { errno?: number }).errno === NO_SUCH_THREAD) resolve(false);
      else reject(error);
    });
  });
}
