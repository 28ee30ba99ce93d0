import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError } from '@dal/core';
import type { Flavor } from './flavor.ts';
import type { Line } from './line.ts';

/** "Unknown thread id": no session has this number. */
const NO_SUCH_THREAD = 1094;
const FIRST_LOOK_MS = 2;
const LOOK_MS = 100;

/** What killing needs of the session that does it. */
export interface Killer {
  readonly line: Line;
  readonly flavor: Flavor;
  /** Gets what ends the waiting from outside. */
  readonly onStop: (stop: (error: Error) => void) => void;
}

/**
 * Ends a session with KILL. Comes back when it can't commit anything any more, its transaction is
 * rolled back and its locks are free; a long rollback takes its time, and who can't wait cancels.
 *
 * @throws ConfigError for what is no number of another session
 */
export async function killSession({ line, flavor, onStop }: Killer, id: string): Promise<void> {
  if (!/^[1-9]\d{0,19}$/.test(id) || id === String(line.threadId)) {
    throw new ConfigError(
      'The id of a session is its number, as text, and not that of the session that kills. Nothing was sent.',
      { code: 'DAL_SESSION_ID', kind: 'usage' },
    );
  }
  let stopped: Error | undefined;
  onStop((error) => (stopped = error));
  const until = async (isGone: () => Promise<boolean>): Promise<void> => {
    for (let wait = FIRST_LOOK_MS; !(await isGone()); wait = Math.min(LOOK_MS, wait * 2)) {
      await pause(wait);
      if (stopped) throw stopped;
    }
  };
  await until(async () => !(await kill(line, `KILL CONNECTION ${id}`)));
  // MariaDB knows a number until all of that is done. MySQL forgets it before the rollback, and
  // information_schema with it; this list does not, and shows everybody their own sessions.
  if (flavor === 'mysql') await until(() => isUnlisted(line, id));
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

/** True as well on a server that doesn't keep this list. */
function isUnlisted(line: Line, id: string): Promise<boolean> {
  const sql = `SELECT ID FROM performance_schema.processlist WHERE ID = ${id}`;
  return new Promise((resolve, reject) => {
    line.query({ sql, rowsAsArray: true }, (error, rows) => {
      if (error) return line.ended ? reject(error) : resolve(true);
      resolve((rows as unknown[]).length === 0);
    });
  });
}
