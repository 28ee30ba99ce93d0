import { setTimeout as sleep } from 'node:timers/promises';
import { QueryError } from '@dal/core';
import type { Activity } from '../engine-words.ts';
import { msSince, type Show, type ShowResult, type Stage } from './show.ts';

const TIMEOUT_MS = 300;

/** A statement for a minute gets 300 ms; then a second session looks whether the server still runs it. */
export const stuckStatement: Show = {
  title: 'A statement hangs',

  async run(stage: Stage): Promise<ShowResult> {
    const { db, words, signal } = stage;
    await using connection = await db.acquire({ signal });
    const session = await words.sessionOf(connection);

    const startedAt = performance.now();
    let ended = false;
    const stuck = connection
      .query(words.stuckStatement, [], { timeoutMs: TIMEOUT_MS, signal, tags: { show: 'stuck' } })
      .then(
        () => undefined,
        (error: unknown) => error,
      )
      .finally(() => {
        ended = true;
      });
    const wasSeen = seenRunning(stage, session, () => ended);
    const error = await stuck;
    const took = msSince(startedAt);
    if (!(error instanceof QueryError) || error.code !== 'DAL_STATEMENT_TIMEOUT') throw error;

    const after = await settled(stage, session);
    const stoppedIn = msSince(startedAt);
    const during = (await wasSeen) ? 'running there before' : 'too busy to be asked in between';
    return {
      passed: after !== 'running',
      lines: [
        `${shorten(words.stuckStatement)} was sent with timeoutMs ${TIMEOUT_MS}; the caller had its error after ${took}:`,
        `"${firstSentences(error.message)}"`,
        after === 'running'
          ? `${words.witness} still sees ${words.session} ${session} at work after ${stoppedIn}.`
          : `Asked from outside (${words.witness}): ${words.session} ${session}, ${during}, is ${after} after ${stoppedIn}. ${whatNext(after)}`,
      ],
    };
  },
};

/** Looks until the statement was seen or has ended. */
async function seenRunning(
  { db, words }: Stage,
  session: number,
  hasEnded: () => boolean,
): Promise<boolean> {
  while (!hasEnded()) {
    const activity = await words.activityOf(db, session).catch(() => 'idle');
    if (activity === 'running' && !hasEnded()) return true;
    await sleep(10);
  }
  return false;
}

/** What the session does when the stop has had a second to arrive. */
async function settled({ db, words }: Stage, session: number): Promise<Activity> {
  let activity: Activity = 'running';
  for (let look = 0; look < 50 && activity === 'running'; look++) {
    if (look > 0) await sleep(20);
    activity = await words.activityOf(db, session);
  }
  return activity;
}

function whatNext(after: Activity): string {
  return after === 'idle'
    ? 'The session itself lives, and goes back to work.'
    : 'SQLite cannot be asked to stop, so the layer ended the process that it ran in.';
}

function shorten(statement: string): string {
  return statement.length > 50 ? `${statement.slice(0, 47)}...` : statement;
}

function firstSentences(message: string): string {
  return message.split(' Statement:')[0] ?? message;
}
