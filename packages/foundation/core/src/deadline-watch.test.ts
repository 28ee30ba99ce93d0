import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DeadlineWatch } from './deadline-watch.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function watcher(): {
  watch: DeadlineWatch;
  passed: string[];
  add: (name: string, ms: number) => () => void;
} {
  const watch = new DeadlineWatch();
  const passed: string[] = [];
  const add = (name: string, ms: number): (() => void) => {
    const deadlineAt = performance.now() + ms;
    const watched = { deadlineAt, place: -1, onDeadline: () => passed.push(name) };
    watch.add(watched);
    return () => watch.delete(watched);
  };
  return { watch, passed, add };
}

test('each is told at its own moment, whatever the order in which they came', () => {
  const { passed, add } = watcher();
  add('long', 300);
  add('short', 100);
  add('middle', 200);
  vi.advanceTimersByTime(99);
  expect(passed).toEqual([]);
  vi.advanceTimersByTime(2);
  expect(passed).toEqual(['short']);
  vi.advanceTimersByTime(100);
  expect(passed).toEqual(['short', 'middle']);
  vi.advanceTimersByTime(100);
  expect(passed).toEqual(['short', 'middle', 'long']);
});

test('what has ended is not told, and one timer serves all', () => {
  const { passed, add } = watcher();
  for (let round = 0; round < 1_000; round++) add(`${round}`, 100)();
  expect(vi.getTimerCount()).toBe(1);
  add('last', 150);
  vi.advanceTimersByTime(1_000);
  expect(passed).toEqual(['last']);
  expect(vi.getTimerCount()).toBe(0);
});

test('what is added while others are told is not forgotten', () => {
  const { watch, passed, add } = watcher();
  watch.add({ deadlineAt: performance.now() + 10, place: -1, onDeadline: () => add('second', 20) });
  add('third', 500);
  vi.advanceTimersByTime(31);
  expect(passed).toEqual(['second']);
  vi.advanceTimersByTime(500);
  expect(passed).toEqual(['second', 'third']);
});
