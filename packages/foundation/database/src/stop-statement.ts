import { within } from '@dal/core';
import { destroySession, type Session } from '@dal/pool';

/** How long a cancel may take, together with the end of the statement, before the line is cut. */
const GRACE_MS = 2_000;
/** How long the statement's own answer may take when the server has taken the cancel. */
const ANSWER_MS = 750;

/**
 * Stops the statement that runs on a session: cancel on the server, grace, then the line is cut.
 * `settling` keeps the next statement back until the cancel can't hit it any more.
 *
 * @param ended resolves when the statement's own answer has come, whatever it is
 */
export function stopStatement(session: Session, ended: Promise<unknown>): Promise<void> {
  const { connection } = session;
  const settled =
    connection.cancel === undefined
      ? Promise.resolve(destroySession(session))
      : within(GRACE_MS, cancel(connection.cancel(), ended)).then((outcome) => {
          if (outcome !== 'done') destroySession(session);
        });
  session.settling = settled.then(() => {
    session.settling = undefined;
  });
  return session.settling;
}

/** Rejects when there is no hope any more that the session can be used again. */
async function cancel(taken: Promise<void>, ended: Promise<unknown>): Promise<void> {
  await taken;
  // What was lost on the way to us does not come any more.
  if ((await within(ANSWER_MS, ended)) !== 'done') throw new Error('No answer.');
}
