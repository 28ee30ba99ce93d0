import { channels, type Database, type ScalingAdvice, type ScalingMessage } from '@dal/core';
import { onTestFinished } from 'vitest';

/** What the channel says, from now to the end of the test. */
export function hearScaling(): ScalingMessage[] {
  const heard: ScalingMessage[] = [];
  const note = (message: unknown): void => void heard.push(message as ScalingMessage);
  channels.scaling.subscribe(note);
  onTestFinished(() => {
    channels.scaling.unsubscribe(note);
  });
  return heard;
}

/** Callers, some of whom find every connection lent and give up at once. */
export async function call(db: Database, callers: number, failing: number): Promise<void> {
  const { max } = db.pool.settings;
  const held = await Promise.all(Array.from({ length: max }, () => db.acquire()));
  await refuse(db, failing);
  for (const connection of held) await connection.release();
  for (let left = callers - failing - max; left > 0; left--) await db.query('SELECT 1 AS one');
}

/** Of a pool whose connections are all lent, with a `maxWaiting` of 0. */
export async function refuse(db: Database, times: number): Promise<void> {
  for (let left = times; left > 0; left--) {
    const refused = await db.acquire().then(
      () => undefined,
      (error: unknown) => error,
    );
    if ((refused as { code?: string })?.code !== 'DAL_POOL_QUEUE_FULL') throw refused;
  }
}

/** Waits until the database's advice is such, and gives it back. */
export async function advised(
  db: Database,
  wanted: (advice: ScalingAdvice) => boolean,
  timeoutMs = 10_000,
): Promise<ScalingAdvice> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const advice = db.scaling();
    if (wanted(advice)) return advice;
    if (performance.now() > until) throw new Error(`Still: ${JSON.stringify(advice, null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
