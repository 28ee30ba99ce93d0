import type { Measure } from './comparison.ts';

/** One call, and what is to be looked at in its answer. */
export interface Calls {
  readonly call: (turn: number) => unknown;
  readonly isRight: (answer: unknown, turn: number) => boolean;
}

/** Never begins again, so that in time every row is asked for. */
let nextTurn = 0;

/** One contender, called by so many at once for a moment. */
export async function slice(
  who: string,
  { call, isRight }: Calls,
  callers: number,
  ms: number,
): Promise<Measure> {
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const ends = began + ms;
  let calls = 0;
  const callOn = async (): Promise<void> => {
    while (performance.now() < ends) {
      const turn = nextTurn++;
      const given = call(turn);
      const answer = isThenable(given) ? await given : given;
      if (!isRight(answer, turn)) throw new Error(`${who} answered something else.`);
      calls++;
    }
  };
  // Everybody ends before an error does, so that nothing is left running.
  const ended = await Promise.allSettled(Array.from({ length: callers }, callOn));
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  const tookMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: (calls * 1_000) / tookMs, cpuUs: (user + system) / calls };
}

/** Knex and postgres.js have promises of their own. */
function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as { then?: unknown } | undefined)?.then === 'function';
}
