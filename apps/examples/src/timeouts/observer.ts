import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, type Database, isDalError } from '@dal/factory';

/** Statements of others that carry our tag, as the server itself lists them. */
const running: Partial<Record<string, string>> = {
  postgres: `SELECT COUNT(*) FROM pg_stat_activity
    WHERE state = 'active' AND query LIKE '%example=''timeouts''%' AND pid <> pg_backend_pid()`,
  mysql: `SELECT COUNT(*) FROM information_schema.processlist
    WHERE info LIKE '%example=''timeouts''%' AND id <> CONNECTION_ID()`,
};

/** A second session, with nothing of the first one's. */
export async function openObserver(url: string): Promise<Database> {
  // On SQLite it asks by an attempt to write, see below.
  const options = url.startsWith('sqlite:') ? { url, busyTimeoutMs: 50 } : { url };
  const observer = await createDatabase(options, {
    pool: { max: 1 },
    retry: { maxRetries: 0 },
    // Two databases with one configuration share a pool otherwise.
    shared: false,
  });
  await observer.connect();
  return observer;
}

/**
 * Whether the endless statement is at work on the server. Asked again for a while until it is as
 * expected: a server may be a moment late to put a statement on its list, or to take it off.
 */
export async function isAtWork(observer: Database, expected: boolean): Promise<boolean> {
  const patience = performance.now() + 10_000;
  for (;;) {
    const answer = await isRunning(observer);
    if (answer === expected || performance.now() > patience) return answer;
    await sleep(20);
  }
}

async function isRunning(observer: Database): Promise<boolean> {
  const { name } = observer.dialect;
  const question = running[name === 'mariadb' ? 'mysql' : name];
  if (question !== undefined) return Number(await observer.queryValue(question)) > 0;
  // SQLite lists no statements, but one that writes keeps all others from writing.
  try {
    await observer.execute('DELETE FROM timeouts_counted');
    return false;
  } catch (error) {
    if (isDalError(error) && error.kind === 'lockTimeout') return true;
    throw error;
  }
}
