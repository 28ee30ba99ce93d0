import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AutoScale, decideSize, LOOK_MS, QUIET_LOOKS, type ScaleState } from './auto-scale.ts';

const bounds = { min: 2, max: 20, up: 0.8, down: 0.3 };

/** Sizes over looks at a load that no size changes. */
function follow(loads: readonly number[], start = 2): number[] {
  let state: ScaleState = { size: start, seen: [] };
  return loads.map((load) => {
    const lent = Math.min(load, state.size);
    state = decideSize(state, { lent, waiting: load - lent }, bounds);
    return state.size;
  });
}

const steady = (load: number, looks: number): number[] => Array.from({ length: looks }, () => load);

describe('decisions', () => {
  test('a step up is followed at once, a step down after a while, neither past min and max', () => {
    const sizes = follow([...steady(10, 40), ...steady(0, 120)]);
    expect(sizes[0]).toBe(19);
    expect(sizes[39]).toBe(19);
    expect(sizes[39 + QUIET_LOOKS - 1]).toBe(19);
    expect(sizes.at(-1)).toBe(2);
    expect(follow(steady(100, 10)).at(-1)).toBe(20);
  });

  test('a load that stays does not make it swing', () => {
    for (let load = 0; load <= 25; load++) {
      const sizes = follow(steady(load, 400), 8);
      expect(new Set(sizes.slice(100)).size, `load ${load}`).toBe(1);
    }
  });

  test('a noisy load makes few changes', () => {
    let seed = 7;
    const noise = (): number => (seed = (seed * 16_807) % 2_147_483_647) % 5;
    const sizes = follow(Array.from({ length: 2_000 }, () => 6 + noise()));
    const changes = sizes.filter((size, index) => index > 0 && size !== sizes[index - 1]).length;
    expect(changes).toBeLessThan(5);
  });

  test('one peak without waiters is no load', () => {
    expect(follow([5, 9, 5, 5], 10)).toEqual([10, 10, 10, 10]);
    expect(follow([5, 9, 9, 5], 10)).toEqual([10, 10, 17, 17]);
  });

  test('a pause is no end', () => {
    const looks = [...steady(10, 10), ...steady(0, QUIET_LOOKS - 2), ...steady(10, 2)];
    expect(new Set(follow([...looks, ...looks, ...looks])).size).toBe(1);
  });
});

describe('over time', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('grows and shrinks within ten seconds, and ends with stop', () => {
    let lent = 0;
    const targets: number[] = [];
    const scaling = new AutoScale(
      { look: () => ({ lent, waiting: 0, max: 20 }), setTarget: (size) => targets.push(size) },
      bounds,
    );
    expect(targets).toEqual([2]);
    lent = 2;
    vi.advanceTimersByTime(LOOK_MS * 2);
    expect(targets.at(-1)).toBe(4);
    lent = 4;
    vi.advanceTimersByTime(10_000);
    expect(targets.at(-1)).toBe(8);
    lent = 0;
    vi.advanceTimersByTime(10_000);
    expect(targets.at(-1)).toBe(2);
    scaling.stop();
    const { length } = targets;
    lent = 20;
    vi.advanceTimersByTime(60_000);
    expect(targets).toHaveLength(length);
    expect(vi.getTimerCount()).toBe(0);
  });
});
