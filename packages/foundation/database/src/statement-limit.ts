import { type Deadline, within, remainingMs } from '@dal/core';
import { destroySession, type Session, statusOf } from '@dal/pool';
import type { Runtime } from './runtime.ts';
import { toDalError } from './to-dal-error.ts';

/** By how much the server's own limit lies behind ours: a cancel and its grace fit in between. */
const MARGIN_MS = 3_000;

/**
 * The limit that the session's server should have while this statement runs, so that it is stopped
 * even when this process no longer can. The same for all statements but those that may take longer,
 * so it is nearly always set already.
 */
export function limitFor(
  { settings }: Runtime,
  session: Session,
  { timeoutMs }: Deadline,
): number | undefined {
  if (session.connection.limit === undefined) return session.limitMs;
  const longest = Math.max(settings.statementTimeoutMs, timeoutMs);
  return longest === Infinity ? 0 : Math.ceil(longest) + MARGIN_MS;
}

/**
 * Sets the limit. A session that can't have one goes on without, for the limit is only a second net;
 * but a net with a hole is told of, once.
 */
export async function setLimit(
  { driver, name }: Runtime,
  session: Session,
  limitMs: number | undefined,
  deadline: Deadline,
): Promise<void> {
  const { connection } = session;
  // A failed transaction refuses everything; the statement behind this will be refused as well.
  if (limitMs === undefined || statusOf(session) === 'failed') return;
  const left = Math.min(remainingMs(deadline), SET_TIMEOUT_MS);
  let reason: unknown;
  const setting = connection.limit?.(limitMs).catch((error: unknown) => {
    reason = error;
  });
  const outcome = await within(left, setting ?? Promise.resolve());
  if (outcome === 'late') destroySession(session);
  if (reason !== undefined && !toDalError(driver, name, reason).fault?.connectionLost) {
    warnOnce(name, reason);
  }
  // Inside a transaction a ROLLBACK takes the setting back, so it is looked at again afterwards.
  if (statusOf(session) === 'idle') session.limitMs = limitMs;
}

const SET_TIMEOUT_MS = 5_000;

function warnOnce(name: string, reason: unknown): void {
  if (warned) return;
  warned = true;
  const words = reason instanceof Error ? reason.message : String(reason);
  process.emitWarning(
    `The server of "${name}" takes no limit for its statements (${words}); they are still stopped from here.`,
    { code: 'DAL_NO_SERVER_LIMIT' },
  );
}
let warned = false;
