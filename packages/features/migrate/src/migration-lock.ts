import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, Database, HeldLock, Queryable, SessionLock } from '@dal/core';
import { MigrationError } from './migration-error.ts';
import { rowLock } from './row-lock.ts';

export interface LockWait {
  readonly waitTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly log: (line: string) => void;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Waits until this session is the only one that migrates. The lock is the session's own, so it is
 * free as soon as its process or its line has ended, whatever ended it.
 *
 * @throws MigrationError `DAL_MIGRATION_LOCKED` when the time is over
 */
export async function takeLock(
  db: Database,
  session: Connection,
  name: string,
  { waitTimeoutMs, signal, log }: LockWait,
): Promise<{ lock: HeldLock; waitedMs: number }> {
  const how: SessionLock = session.dialect.sessionLock ?? rowLock(db);
  const startedAt = performance.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted();
    const lock = await how.take(session, name);
    const waitedMs = performance.now() - startedAt;
    if (lock) return { lock, waitedMs: pauseMs === FIRST_PAUSE_MS ? 0 : waitedMs };
    if (waitedMs >= waitTimeoutMs) throw locked(waitedMs);
    if (pauseMs === FIRST_PAUSE_MS) log('another process migrates this database; waiting for it');
    // Many that wait must not ask in the same moment.
    const jittered = pauseMs * (0.5 + Math.random());
    await sleep(Math.min(jittered, waitTimeoutMs - waitedMs), undefined, signal ? { signal } : {});
  }
}

/** Before each step: a session that lost its lock works beside another one. */
export async function checkLock(lock: HeldLock, on: Queryable): Promise<void> {
  if (await lock.isHeld(on)) return;
  throw new MigrationError(
    'This session does not have the migration lock any more, so nothing more is run. Behind a pooler that lends a server session for one transaction only, connect past the pooler.',
    { code: 'DAL_MIGRATION_LOCK_LOST' },
  );
}

function locked(waitedMs: number): MigrationError {
  return new MigrationError(
    `Another process still migrates this database after ${Math.round(waitedMs)} ms. Its lock ends with it: wait (waitTimeoutMs, --wait), or end that process.`,
    { code: 'DAL_MIGRATION_LOCKED', kind: 'lockTimeout' },
  );
}
