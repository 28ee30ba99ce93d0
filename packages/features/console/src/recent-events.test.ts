import { expect, test, vi } from 'vitest';
import { type Happening, RecentEvents } from './recent-events.ts';

const timeout = (statement: string, more: Partial<Happening> = {}): Happening => ({
  tone: 'bad',
  what: 'timeout',
  database: 'orders',
  words: 'A statement took too long.',
  statement,
  ...more,
});

test('keeps the last 200', () => {
  const events = new RecentEvents();
  for (let count = 0; count < 1_000; count++) events.note(timeout(`SELECT ${count}`));
  expect(events.since(0)).toHaveLength(200);
  expect(events.since(0).at(-1)?.turn).toBe(1_000);
});

test('a storm of the same is one event that counts, with the newest words', () => {
  const events = new RecentEvents();
  events.note(timeout('SELECT 1'));
  events.note(timeout('SELECT 2'));
  for (let count = 0; count < 50; count++)
    events.note(timeout('SELECT 1', { words: `no ${count}` }));
  const [other, storm] = events.since(0);
  expect(events.since(0)).toHaveLength(2);
  expect(other).toMatchObject({ count: 1 });
  expect(storm).toMatchObject({ count: 51, words: 'no 49' });
});

test('is another event with another statement, database, tone, or much later', () => {
  vi.useFakeTimers();
  try {
    const events = new RecentEvents();
    events.note(timeout('SELECT 1'));
    events.note(timeout('SELECT 1', { database: 'stock' }));
    events.note(timeout('SELECT 1', { tone: 'good' }));
    events.note(timeout('SELECT 2'));
    vi.advanceTimersByTime(10_001);
    events.note(timeout('SELECT 1'));
    expect(events.since(0).map(({ count }) => count)).toEqual([1, 1, 1, 1, 1]);
  } finally {
    vi.useRealTimers();
  }
});

test('tells what has changed since a turn, and shows a text that it asks for once', () => {
  const events = new RecentEvents();
  const textOf = vi.fn<() => string>(() => 'SELECT ?');
  events.note(timeout('SELECT 1', { textOf }));
  events.note(timeout('SELECT 2'));
  const { turn } = events;
  expect(events.since(turn)).toEqual([]);
  events.note(timeout('SELECT 1', { textOf }));
  expect(events.since(turn)).toMatchObject([{ count: 2, text: 'SELECT ?' }]);
  expect(textOf).toHaveBeenCalledOnce();
  expect(JSON.stringify(events.since(0))).not.toContain('SELECT 1');
});
