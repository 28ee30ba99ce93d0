import type { BusiestDigest, ScalingAdvice } from '@dal/core';
import { LEAST_CALLERS, ratioOf } from './level-keeper.ts';
import type { PoolWatch } from './pool-watch.ts';
import type { Slot } from './slot.ts';
import { MINUTE_SLOTS } from './slot-window.ts';

type Numbers = Omit<
  ScalingAdvice,
  'level' | 'action' | 'confidence' | 'reason' | 'evidence' | 'sentence' | 'headroom'
>;

/** What is known of a pool at one moment: the columns of the decision table. */
export interface Facts extends Numbers {
  readonly pool: string;
  /** Of the failed callers, those of the last minute. */
  readonly failedLately: number;
  /** The window is longer than a minute: the first seconds of a program are like no others. */
  readonly isSettled: boolean;
  /** Why the server can't be reached. */
  readonly unreachable: string | undefined;
  /** The server has refused a connection because it has enough, in the last minute. */
  readonly isFull: boolean;
  readonly headroom: Headroom | undefined;
  /** Connections that are lent for long without a statement. */
  readonly leaks: number;
  /** 95 of 100 attempts took no longer, in the window and in the hour before it. */
  readonly attemptP95Ms: number | undefined;
  readonly baselineP95Ms: number | undefined;
  readonly instances: number;
}

/** Places of a server. */
export interface Headroom {
  readonly left: number;
  /** For everybody together. */
  readonly limit: number;
}

/** What a pool's watch does not know by itself. */
export interface Around {
  readonly headroom: Headroom | undefined;
  readonly instances: number;
  /** A breaker of a database on this pool is open. */
  readonly isBroken: boolean;
}

/** With fewer attempts there is no baseline. */
const LEAST_ATTEMPTS = 200;

export function factsOf(watch: PoolWatch, { headroom, instances, isBroken }: Around): Facts {
  const { window, pool } = watch;
  const recent = window.recent();
  const older = window.before();
  const lately = window.recent(MINUTE_SLOTS);
  // Callers are few: look further back for them.
  const isQuiet = recent.acquired + recent.failed < LEAST_CALLERS;
  const { acquired, failed, ms: windowMs } = isQuiet ? countsOf(recent, older) : recent;
  return {
    pool: pool.name,
    windowMs,
    acquired,
    failed,
    ratio: ratioOf({ acquired, failed }),
    failedLately: lately.failed,
    isSettled: watch.slot >= MINUTE_SLOTS,
    utilisation: share(recent.lentMs, recent.limitMs) ?? 0,
    waitP95Ms: quantileMs(recent.waits, watch.waitBoundsMs, 0.95),
    useMeanMs: recent.uses > 0 ? recent.useMs / recent.uses : undefined,
    busyShare: share(recent.busyMs, recent.lentMs),
    required: requiredOf(recent),
    limit: watch.limit,
    eventLoop: share(recent.loopActiveMs, recent.loopActiveMs + recent.loopIdleMs) ?? 0,
    busiest: busiestOf(recent),
    unreachable: whyUnreachable(watch, isBroken),
    isFull: isFull(watch),
    headroom,
    leaks: pool.view.leaks().length,
    attemptP95Ms: recent.attempts?.quantileMs(0.95),
    baselineP95Ms:
      (older.attempts?.count ?? 0) >= LEAST_ATTEMPTS ? older.attempts?.quantileMs(0.95) : undefined,
    instances,
  };
}

function countsOf(recent: Slot, older: Slot): Pick<Slot, 'acquired' | 'failed' | 'ms'> {
  return {
    acquired: recent.acquired + older.acquired,
    failed: recent.failed + older.failed,
    ms: recent.ms + older.ms,
  };
}

/** By Little's law, with room for the swings of the load: two standard deviations, and one more. */
function requiredOf({ acquired, failed, ms, uses, useMs }: Slot): number | undefined {
  if (uses === 0 || ms <= 0) return undefined;
  const load = ((acquired + failed) / ms) * (useMs / uses);
  return Math.ceil(load + 2 * Math.sqrt(load)) + 1;
}

function busiestOf({ digests, busyMs }: Slot): BusiestDigest | undefined {
  const [first] = [...digests].toSorted(([, a], [, b]) => b - a);
  if (!first || busyMs <= 0) return undefined;
  const [{ id, text }, ms] = first;
  return { id, text, share: Math.min(1, ms / busyMs) };
}

function whyUnreachable(watch: PoolWatch, isBroken: boolean): string | undefined {
  const { connectFault, isAway, slot } = watch;
  // An old failure without a later attempt says nothing of now, unless the pool is looking still.
  const isRecent = connectFault !== undefined && slot - connectFault.slot <= MINUTE_SLOTS;
  // A server that says that it is full is there.
  if (isRecent || (isAway && !isFull(watch)))
    return `connecting fails (${connectFault?.kind ?? 'connection'})`;
  return isBroken ? 'its circuit breaker is open' : undefined;
}

function isFull({ slot, fullInSlot }: PoolWatch): boolean {
  return slot - fullInSlot <= MINUTE_SLOTS;
}

function share(part: number, whole: number): number | undefined {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : undefined;
}

/** Straight between the ends of a bucket; what is longer than all of them is the longest one. */
function quantileMs(
  counts: readonly number[],
  boundsMs: readonly number[],
  wanted: number,
): number | undefined {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  let left = wanted * all;
  for (const [place, bound] of boundsMs.entries()) {
    const count = counts[place] ?? 0;
    const from = boundsMs[place - 1] ?? 0;
    if (left <= count) return count === 0 ? from : from + (bound - from) * (left / count);
    left -= count;
  }
  return boundsMs.at(-1);
}
