import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionError, type Database } from '@dal/core';
import { msSince, type Show, type ShowResult, type Stage } from './show.ts';

/** How long the pool may take to notice. */
const NOTICE_MS = 3_000;

/** A session of the working pool is ended from outside, in the middle of a transaction. */
export const killedConnection: Show = {
  title: 'A connection is killed',

  async run(stage: Stage): Promise<ShowResult> {
    const { db, open, words, shop, signal } = stage;
    // Killed from a pool of its own, so that the one under test only suffers.
    await using outside = await open({ name: 'outside', pool: { max: 1 } });
    await outside.ping({ signal });
    const lostBefore = db.pool.stats().lostConnections;
    const order = shop.makeOrder('cut-off');
    let session = 0;
    let killedAt = 0;

    const error: unknown = await db
      .connection(
        async (connection) => {
          session = await words.sessionOf(connection);
          await connection.transaction(async (tx) => {
            await shop.writeDown(tx, order);
            killedAt = performance.now();
            await words.killSession(outside, session);
            // The payment would follow here.
            await tx.query('SELECT 1');
          });
        },
        { signal },
      )
      .catch((thrown: unknown) => thrown);
    const heardIn = msSince(killedAt);
    if (!(error instanceof ConnectionError)) {
      throw error instanceof Error ? error : new Error('The statement on the killed session ran.');
    }

    const noticed = await hasNoticed(stage, lostBefore);
    const healingAt = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        db.queryValue(`SELECT ${index}`, [], { idempotent: true, signal }),
      ),
    );
    const healedIn = msSince(healingAt);
    const gone = await isGone(stage, outside, session);
    const isHalfDone = await shop.isPlaced(db, order.key);
    return {
      passed:
        noticed &&
        gone &&
        !isHalfDone &&
        answers.every((answer, index) => Number(answer) === index),
      lines: [
        `${words.kill} ended ${words.session} ${session} while an order was half done on it. The caller heard after ${heardIn}:`,
        `"${error.message}"`,
        isHalfDone
          ? 'The half order is in the books.'
          : 'Nothing of that order is in the books, and the connection is out of the pool.',
        `The next 10 statements on the same pool: all answered, ${healedIn} together.`,
      ],
    };
  },
};

/** A server may list a killed session a moment longer than its line lives. */
async function isGone(
  { words, signal }: Stage,
  outside: Database,
  session: number,
): Promise<boolean> {
  const deadline = performance.now() + NOTICE_MS;
  while ((await words.activityOf(outside, session)) !== 'gone') {
    if (performance.now() > deadline) return false;
    await sleep(5, undefined, { signal });
  }
  return true;
}

async function hasNoticed({ db, signal }: Stage, lostBefore: number): Promise<boolean> {
  const deadline = performance.now() + NOTICE_MS;
  while (db.pool.stats().lostConnections === lostBefore) {
    if (performance.now() > deadline) return false;
    await sleep(5, undefined, { signal });
  }
  return true;
}
