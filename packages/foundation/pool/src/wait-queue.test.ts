import { type Deadline, deadlineAfter } from '@dal/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WaitQueue } from './wait-queue.ts';
import { Waiter } from './waiter.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A queue, who was late in it, and how to join it. */
function stage() {
  const late: string[] = [];
  const names = new Map<Waiter<unknown>, string>();
  const queue = new WaitQueue<unknown>((waiter) => late.push(names.get(waiter)!));
  const join = (name: string, deadline: Deadline): Waiter<unknown> => {
    const waiter = new Waiter<unknown>(deadline, performance.now(), undefined, ignore, ignore);
    names.set(waiter, name);
    queue.push(waiter);
    return waiter;
  };
  return { queue, late, join, nameOf: (waiter?: Waiter<unknown>) => waiter && names.get(waiter) };
}

function ignore(): void {
  // Nobody waits for the loan here.
}

test('each is late at its own moment, whatever the order in which they came', () => {
  const { queue, late, join, nameOf } = stage();
  join('slow', deadlineAfter(300));
  join('fast', deadlineAfter(100));
  join('middle', deadlineAfter(200));
  join('patient', deadlineAfter(Infinity));
  vi.advanceTimersByTime(99);
  expect(late).toEqual([]);
  vi.advanceTimersByTime(2);
  expect(late).toEqual(['fast']);
  join('hasty', deadlineAfter(10));
  vi.advanceTimersByTime(11);
  expect(late).toEqual(['fast', 'hasty']);
  vi.advanceTimersByTime(100);
  expect(late).toEqual(['fast', 'hasty', 'middle']);
  vi.advanceTimersByTime(10_000);
  expect(late).toEqual(['fast', 'hasty', 'middle', 'slow']);
  expect(queue.size).toBe(1);
  expect(nameOf(queue.shift())).toBe('patient');
});

test('whoever has left is not late, and those around it keep their places', () => {
  const { queue, late, join, nameOf } = stage();
  const [, second, , fourth] = ['1', '2', '3', '4', '5'].map((name) =>
    join(name, deadlineAfter(100)),
  );
  expect(queue.delete(second!)).toBe(true);
  expect(queue.delete(second!)).toBe(false);
  expect(queue.delete(fourth!)).toBe(true);
  expect(nameOf(queue.shift())).toBe('1');
  expect(nameOf(queue.shift())).toBe('3');
  expect(queue.size).toBe(1);
  vi.advanceTimersByTime(101);
  expect(late).toEqual(['5']);
  expect(queue.shift()).toBeUndefined();
});

test('an empty queue asks for no time, and a closed one has no place among the deadlines', () => {
  const { queue, join } = stage();
  join('only', deadlineAfter(100));
  expect(queue.place).not.toBe(-1);
  queue.shift();
  vi.advanceTimersByTime(101);
  expect(queue.place).toBe(-1);
  expect(queue.deadlineAt).toBe(Infinity);
  join('again', deadlineAfter(100));
  queue.shift();
  queue.close();
  expect(queue.place).toBe(-1);
});
