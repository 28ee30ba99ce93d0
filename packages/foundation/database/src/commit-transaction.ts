import type { DalError, NativeResult } from '@dal/core';
import { statusOf } from '@dal/pool';
import { commitTransaction } from './begin-transaction.ts';
import { writeMark } from './commit-mark.ts';
import type { CommitDoubt } from './commit-outcome.ts';
import { layerStatement } from './compile-statement.ts';
import type { Level, OpenTransaction } from './open-transaction.ts';
import { toDalError } from './to-dal-error.ts';
import { orTooLate } from './transaction-deadline.ts';
import {
  goneError,
  rolledBackError,
  unconfirmedError,
  unknownOutcome,
} from './transaction-errors.ts';

/**
 * Commits, and says so only when the server did.
 *
 * @returns a doubt when the answer to COMMIT did not arrive; to be settled on another connection
 */
export async function commit(
  open: OpenTransaction,
  level: Level,
): Promise<CommitDoubt | undefined> {
  const { runtime, lease } = open;
  if (open.gone) {
    open.end();
    // The server committed by itself (DDL) and nothing came after it: there is nothing to lose.
    if (open.gone === 'committed' && !open.spoiled) return undefined;
    throw goneError(runtime.name, open.gone, level.firstError);
  }
  if (open.spoiled || level.doubtful || statusOf(lease.session) === 'failed') {
    await open.rollback();
    throw rolledBackError(runtime.name, level.firstError);
  }
  try {
    if (open.wrote) await leaveTrace(open, level);
  } catch (error) {
    await open.rollback();
    throw orTooLate(runtime.name, open.settings.deadline, error);
  }
  return sendCommit(open, level);
}

/** What the outcome can be found by, should the answer to COMMIT be lost. */
async function leaveTrace(open: OpenTransaction, level: Level): Promise<void> {
  if (open.mark) {
    await writeMark(open, open.mark, level);
    return;
  }
  if (open.transactionId !== undefined || !open.unasked || !open.tellsOutcome) return;
  // Written by a stream or a load, which don't tell the id.
  const ask = layerStatement(open.runtime.driver.dialect.ping);
  await open.run(ask, open.wordDeadline(), level, async (connection, statement) => {
    const result = await connection.query({ ...statement, askTransaction: true });
    open.transactionId ??= result.transactionId;
    return result;
  });
}

async function sendCommit(open: OpenTransaction, level: Level): Promise<CommitDoubt | undefined> {
  const { runtime, lease } = open;
  const deadline = open.wordDeadline();
  const sent: { state: 'no' | 'yes' | 'refused'; answer?: NativeResult } = { state: 'no' };
  try {
    await commitTransaction(runtime, lease, deadline, async (send) => {
      open.check();
      open.end();
      sent.state = 'yes';
      try {
        return (sent.answer = await send());
      } catch (error) {
        sent.state = 'refused';
        throw error;
      }
    });
  } catch (thrown) {
    // What the server did counts, also when its answer came after the deadline.
    if (!sent.answer)
      return failed(open, toDalError(runtime.driver, runtime.name, thrown, 'COMMIT'), sent.state);
  }
  open.end();
  const { command, unconfirmed } = sent.answer as NativeResult;
  // PostgreSQL answers COMMIT of an aborted transaction with ROLLBACK and no error.
  if (command !== undefined && command !== 'COMMIT') {
    throw rolledBackError(runtime.name, level.firstError);
  }
  if (unconfirmed) throw unconfirmedError(runtime.name);
  open.mark?.settled();
  return undefined;
}

/** COMMIT had no good answer: it surely failed, or there is a doubt. */
async function failed(
  open: OpenTransaction,
  error: DalError,
  state: 'no' | 'yes' | 'refused',
): Promise<CommitDoubt | undefined> {
  const { runtime, lease, settings } = open;
  const { session } = lease;
  const { fault } = error;
  open.end();
  const lost = session.lost !== undefined || fault?.connectionLost === true;
  const isSure =
    state === 'no' ||
    (state === 'refused' && fault?.applied === 'no' && !contradicts(open, fault.transaction));
  if (isSure) {
    await open.rollback();
    throw orTooLate(runtime.name, open.settings.deadline, error);
  }
  // A transaction that may not write has nothing to lose.
  if (settings.how.readOnly === true && !open.wrote) return undefined;
  if (state === 'refused' && !lost && fault?.applied === 'unknown') {
    // The server itself can't say; what it knows of its own part is not the whole.
    throw unknownOutcome(runtime.name, 'The server said so itself.', error);
  }
  const { id } = session.connection;
  const { transactionId, mark, wrote } = open;
  // A mark that was not written says nothing.
  const home = open.runtime.pool.homeOf(open.lease.session);
  return { error, sessionId: id, home, transactionId, mark: wrote ? mark : undefined };
}

/** The error says that the transaction is still open, but the session says that none is. */
function contradicts(open: OpenTransaction, transaction: string | undefined): boolean {
  const { session } = open.lease;
  return (
    transaction === 'open' &&
    session.connection.status !== undefined &&
    statusOf(session) === 'idle'
  );
}
