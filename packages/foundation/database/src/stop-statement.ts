import { within } from '@dal/core';
import { destroySession, type Session } from '@dal/pool';

/** How long a cancel may take, together with the end of the statement, before the line is cut. */
const GRACE_MS = 2_000;

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
      : within(GRACE_MS, Promise.all([connection.cancel(), ended])).then((outcome) => {
          if (outcome !== 'done') destroySession(session);
        });
  session.settling = settled.then(() => {
    session.settling = undefined;
  });
  return session.settling;
}
