import {
  type DalError,
  type Deadline,
  remainingMs,
  sleepWithin,
  sooner,
  type TransactionOutcome,
} from '@dal/core';
import type { Lease } from '@dal/pool';
import { askSession } from './ask-session.ts';
import { beginTransaction, rollbackTransaction } from './begin-transaction.ts';
import { type CommitMark, marked, markWords } from './commit-mark.ts';
import { acquireLease } from './acquire-lease.ts';
import { giveBack, runOnLease } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { foundRolledBack, unknownOutcome } from './transaction-errors.ts';

/** A COMMIT whose answer did not arrive, and what its outcome can be found by. */
export interface CommitDoubt {
  readonly error: DalError;
  /** The session that sent it. */
  readonly sessionId: string | undefined;
  /** Its server, where there are several. */
  readonly home: object | undefined;
  readonly transactionId: string | undefined;
  readonly mark: CommitMark | undefined;
}

/** How long the server is asked, when the transaction has no deadline of its own. */
const RESOLVE_MS = 10_000;
/** The old session has so long to end by itself before it is killed. */
const PATIENCE_MS = 1_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/**
 * Finds out on another connection what became of a COMMIT. Returns when it took effect.
 *
 * @throws foundRolledBack when it did not; the transaction may run again
 * @throws CommitOutcomeUnknownError when that can't be told in time
 */
export async function settleDoubt(
  runtime: Runtime,
  doubt: CommitDoubt,
  deadline: Deadline,
): Promise<void> {
  const { error, transactionId, mark, sessionId, home } = doubt;
  const { name } = runtime;
  if (transactionId === undefined && mark === undefined) {
    throw unknownOutcome(name, 'The server can not be asked: see commitTable.', error);
  }
  const limit = sooner(deadline, RESOLVE_MS);
  const patientUntil = performance.now() + PATIENCE_MS;
  let killed = false;
  let last: unknown;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const left = remainingMs(limit);
    if (left === 0 || deadline.signal?.aborted) break;
    try {
      const isLate = performance.now() >= patientUntil;
      const step = sooner(limit, isLate ? left : Math.min(left, PATIENCE_MS));
      const outcome = await onNewSession(runtime, limit, async (lease) => {
        // Numbers of sessions and transactions mean others on another server; a mark is copied there.
        const isElsewhere = runtime.pool.homeOf(lease.session) !== home;
        if (isElsewhere) return mark ? readMark(runtime, lease, mark, step) : 'unknown';
        // It may still do what it was told last; a killed one can't.
        if (isLate && !killed) killed = await kill(runtime, lease, sessionId, limit);
        return mark
          ? readMark(runtime, lease, mark, step)
          : ask(runtime, lease, transactionId ?? '', step);
      });
      if (outcome === 'committed') return;
      if (outcome === 'rolledBack') throw foundRolledBack(name, error);
      if (outcome === 'unknown') break;
    } catch (thrown) {
      if ((thrown as DalError).code === 'DAL_COMMIT_ROLLED_BACK') throw thrown;
      last = thrown;
    }
    await sleepWithin(limit, pause).catch(() => undefined);
  }
  const said = last instanceof Error ? ` The last attempt failed: ${last.message}` : '';
  throw unknownOutcome(name, `The server was asked, and did not say in time.${said}`, error);
}

async function onNewSession<T>(
  runtime: Runtime,
  deadline: Deadline,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const lease = await acquireLease(runtime, deadline);
  try {
    return await work(lease);
  } finally {
    giveBack(runtime, lease);
  }
}

async function ask(
  runtime: Runtime,
  lease: Lease,
  transactionId: string,
  deadline: Deadline,
): Promise<TransactionOutcome> {
  const outcome = await askSession(runtime, lease, 'outcome', deadline, (on) =>
    on.outcome?.(transactionId),
  );
  return outcome ?? 'unknown';
}

/** Waits until nobody holds the session's row, and reads what it counted. */
async function readMark(
  runtime: Runtime,
  lease: Lease,
  { key, next }: CommitMark,
  deadline: Deadline,
): Promise<TransactionOutcome> {
  const { dialect } = runtime.driver;
  const { lock, read } = markWords(dialect, runtime.settings.commitTable ?? '');
  // What was committed while we waited must be seen.
  const isolation = dialect.isolations.includes('readCommitted') ? 'readCommitted' : undefined;
  await beginTransaction(runtime, lease, isolation ? { isolation } : {}, deadline);
  await runOnLease(runtime, lease, marked(runtime, lock, [key]), deadline);
  const { rows } = await runOnLease(runtime, lease, marked(runtime, read, [key]), deadline);
  await rollbackTransaction(runtime, lease, deadline);
  const [row] = rows as { commits: unknown }[];
  const count = row === undefined ? undefined : Number(row.commits);
  if (count === next) return 'committed';
  return count === next - 1 ? 'rolledBack' : 'unknown';
}

/** Ends the old session, so that it can't commit any more. True when that is done with. */
async function kill(
  runtime: Runtime,
  lease: Lease,
  sessionId: string | undefined,
  deadline: Deadline,
): Promise<boolean> {
  if (sessionId === undefined || !lease.session.connection.kill) return true;
  await askSession(runtime, lease, 'kill', deadline, (on) => on.kill?.(sessionId));
  return true;
}
