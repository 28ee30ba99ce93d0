import type { ScalingLevel } from '@dal/core';
import { expect, test } from 'vitest';
import { LevelKeeper } from './level-keeper.ts';

/** What a keeper says after so many evaluations of the same counts. */
function levelAfter(
  times: number,
  acquired: number,
  failed: number,
  keeper: LevelKeeper = new LevelKeeper(),
): ScalingLevel {
  for (let time = 0; time < times; time++) keeper.evaluate({ acquired, failed, failedLately: 0 });
  return keeper.level;
}

test.each<[failed: number, level: ScalingLevel]>([
  [0, 'normal'],
  [99, 'normal'],
  [100, 'mild'],
  [999, 'mild'],
  [1_000, 'high'],
  [5_000, 'high'],
  [5_001, 'critical'],
])('%i of 100,000 is %s', (failed, level) => {
  expect(levelAfter(2, 100_000 - failed, failed)).toBe(level);
});

test('it rises at the second time in a row, to the lower of both', () => {
  const keeper = new LevelKeeper();
  expect(levelAfter(1, 950, 50, keeper)).toBe('normal');
  expect(levelAfter(1, 1_000, 0, keeper)).toBe('normal');
  expect(levelAfter(1, 950, 50, keeper)).toBe('normal');
  expect(levelAfter(1, 995, 5, keeper)).toBe('mild');
});

test('critical at once with 20 failures in a minute', () => {
  const keeper = new LevelKeeper();
  keeper.evaluate({ acquired: 300, failed: 19, failedLately: 19 });
  expect(keeper.level).toBe('normal');
  const other = new LevelKeeper();
  other.evaluate({ acquired: 300, failed: 20, failedLately: 20 });
  expect(other.level).toBe('critical');
});

test('too few callers, or failures, are no judgement', () => {
  for (const [acquired, failed] of [
    [100, 99],
    [197, 2],
    [500, 2],
  ] as const) {
    const keeper = new LevelKeeper();
    for (let time = 0; time < 5; time++) {
      expect(keeper.evaluate({ acquired, failed, failedLately: failed })).toEqual({
        level: 'normal',
        confidence: 'low',
      });
    }
  }
  expect(new LevelKeeper().evaluate({ acquired: 2_000, failed: 1, failedLately: 1 })).toEqual({
    level: 'normal',
    confidence: 'high',
  });
});

test('it falls one step after a minute well below its level', () => {
  const keeper = new LevelKeeper();
  levelAfter(2, 900, 100, keeper);
  // Not far enough below 5 %.
  expect(levelAfter(100, 9_590, 410, keeper)).toBe('critical');
  expect(levelAfter(12, 9_610, 390, keeper)).toBe('critical');
  expect(levelAfter(1, 9_610, 390, keeper)).toBe('high');
  expect(levelAfter(100, 9_610, 390, keeper)).toBe('high');
  // One relapse, and the minute begins anew.
  levelAfter(12, 10_000, 0, keeper);
  levelAfter(1, 9_900, 100, keeper);
  expect(levelAfter(12, 10_000, 0, keeper)).toBe('high');
  expect(levelAfter(1, 10_000, 0, keeper)).toBe('mild');
  expect(levelAfter(13, 10_000, 0, keeper)).toBe('normal');
  expect(levelAfter(50, 10_000, 0, keeper)).toBe('normal');
});

test('false alarms: healthy load, where one caller in 3,000 meets chance', () => {
  const random = randomFrom(20_261_121);
  const windows = 10_000;
  const alarms = { mild: 0, high: 0, critical: 0 };
  const naive = { mild: 0, high: 0, critical: 0 };
  for (let window = 0; window < windows; window++) {
    // From 20 callers in five minutes to 20,000.
    const callers = Math.round(20 * 10 ** (3 * random()));
    const keeper = new LevelKeeper();
    const slots: number[] = [];
    for (let slot = 0; slot < 61; slot++) {
      slots.push(chance(callers / 60, random));
    }
    const failed = slots.slice(0, 60).reduce((sum, count) => sum + count, 0);
    const later = slots.slice(1).reduce((sum, count) => sum + count, 0);
    keeper.evaluate({ acquired: callers - failed, failed, failedLately: sumOfLast(slots, 0) });
    keeper.evaluate({
      acquired: callers - later,
      failed: later,
      failedLately: sumOfLast(slots, 1),
    });
    if (keeper.level !== 'normal') alarms[keeper.level]++;
    const ratio = failed / callers;
    if (ratio > 0.05) naive.critical++;
    else if (ratio >= 0.01) naive.high++;
    else if (ratio >= 0.001) naive.mild++;
  }
  const all = alarms.mild + alarms.high + alarms.critical;
  const allNaive = naive.mild + naive.high + naive.critical;
  process.stdout.write(
    `false alarms in ${windows} windows: ${all} (${((100 * all) / windows).toFixed(2)} %; high ${alarms.high}, critical ${alarms.critical}); by the ratio alone: ${allNaive} (high ${naive.high}, critical ${naive.critical})\n`,
  );
  expect(all / windows).toBeLessThan(0.03);
  expect(alarms.high + alarms.critical).toBeLessThanOrEqual(windows / 1_000);
  expect(all).toBeLessThan(allNaive / 2);
});

function sumOfLast(slots: readonly number[], from: number): number {
  return slots
    .slice(from, from + 60)
    .slice(-12)
    .reduce((sum, count) => sum + count, 0);
}

/** How many of so many callers fail, each by a chance of 1 in 3,000: Poisson's numbers. */
function chance(callers: number, random: () => number): number {
  const limit = Math.exp(-callers / 3_000);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** The same numbers each time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
