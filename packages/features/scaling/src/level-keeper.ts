import type { ScalingLevel } from '@dal/core';
import { MINUTE_SLOTS } from './slot-window.ts';

/** The levels in order, each with the ratio at which it begins. */
const levels: readonly { readonly level: ScalingLevel; readonly from: number }[] = [
  { level: 'normal', from: 0 },
  { level: 'mild', from: 0.001 },
  { level: 'high', from: 0.01 },
  { level: 'critical', from: 0.05 },
];

/** With fewer callers, or fewer who got nothing, chance could be all there is to it. */
export const LEAST_CALLERS = 200;
const LEAST_FAILURES = 3;
/** So many in a minute are not waited for to come again. */
const CRITICAL_FAILURES = 20;
/** How far below a level's beginning the ratio must be for a minute. */
const DOWN = 0.8;

export interface Counted {
  readonly acquired: number;
  readonly failed: number;
  /** Of `failed`: in the last minute. */
  readonly failedLately: number;
}

export function ratioOf({ acquired, failed }: Pick<Counted, 'acquired' | 'failed'>): number {
  return failed === 0 ? 0 : failed / (acquired + failed);
}

/** Makes a level of what is counted: quick to rise when it is sure, slow to fall. */
export class LevelKeeper {
  #place = 0;
  /** What the evaluation before this one would have risen to. */
  #risesTo = 0;
  /** Evaluations since the ratio went far enough below the level. */
  #below = 0;

  get level(): ScalingLevel {
    return (levels[this.#place] as { level: ScalingLevel }).level;
  }

  /** To be called once a slot. */
  evaluate(counted: Counted): {
    readonly level: ScalingLevel;
    readonly confidence: 'high' | 'low';
  } {
    const ratio = ratioOf(counted);
    const wanted = placeOf(ratio);
    const isSure =
      counted.acquired + counted.failed >= LEAST_CALLERS &&
      (wanted === 0 || counted.failed >= LEAST_FAILURES);
    const place = isSure ? wanted : 0;
    if (!this.#rise(place, counted.failedLately)) this.#fall(isSure ? ratio : 0);
    return { level: this.level, confidence: isSure ? 'high' : 'low' };
  }

  #rise(place: number, failedLately: number): boolean {
    const atOnce = place === levels.length - 1 && failedLately >= CRITICAL_FAILURES;
    const to = atOnce ? place : Math.min(place, this.#risesTo);
    this.#risesTo = place;
    if (to <= this.#place) return false;
    this.#place = to;
    this.#below = 0;
    return true;
  }

  /** One step after a minute. */
  #fall(ratio: number): void {
    const { from } = levels[this.#place] as { from: number };
    if (this.#place === 0 || ratio >= from * DOWN) {
      this.#below = 0;
      return;
    }
    // The first evaluation only begins the minute.
    if (this.#below++ < MINUTE_SLOTS) return;
    this.#place--;
    this.#below = 0;
  }
}

/** What begins at 5 % is critical only above it. */
function placeOf(ratio: number): number {
  if (ratio > 0.05) return 3;
  return levels.findLastIndex(({ level, from }) => level !== 'critical' && ratio >= from);
}
