import { type Dialect, within } from '@dal/core';
import { type Session, statusOf } from './session.ts';
import { giveTurn, takeTurn } from './turns.ts';

/** Longest time to put a session in order; it is destroyed when that isn't enough. */
const CLEAN_TIMEOUT_MS = 5_000;

/** True when nothing has to be done before the session is lent again; the usual case. */
export function isClean(session: Session): boolean {
  return (
    session.lost === undefined &&
    !session.dirty &&
    !session.busy &&
    session.settling === undefined &&
    statusOf(session) === 'idle'
  );
}

/**
 * Makes a session fit for the next borrower: waits for what still runs, rolls back an open or failed
 * transaction, undoes changed settings. False when that can't be done or told for sure, so that a
 * session of unknown state never returns to the pool.
 */
export async function cleanSession(session: Session, dialect: Dialect): Promise<boolean> {
  let clean = false;
  const work = putInOrder(session, dialect).then((answer) => {
    clean = answer;
  });
  return (await within(CLEAN_TIMEOUT_MS, work)) === 'done' && clean;
}

async function putInOrder(session: Session, dialect: Dialect): Promise<boolean> {
  await takeTurn(session);
  try {
    if (session.lost) return false;
    const { connection } = session;
    if (statusOf(session) !== 'idle') {
      await rollBack(session, dialect);
      if (statusOf(session) !== 'idle') return false;
    }
    if (session.dirty) {
      if (!connection.reset) return false;
      await connection.reset();
      session.dirty = false;
      session.limitMs = undefined;
    }
    return session.lost === undefined;
  } finally {
    giveTurn(session);
  }
}

/** Rolls back what is open, by the driver's call or the dialect's words. */
export async function rollBack(session: Session, dialect: Dialect): Promise<void> {
  const { connection } = session;
  if (connection.rollback) await connection.rollback();
  else if (dialect.transaction) {
    await connection.query({ text: dialect.transaction.rollback, values: [] });
  }
  session.followed = 'idle';
}
