import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Gate } from './gate.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

const nobody = (): void => undefined;

/** Knocks whenever the gate says so, for a time; nobody opens. */
async function knock(gate: Gate, forMs: number): Promise<number[]> {
  const times: number[] = [];
  const ends = performance.now() + forMs;
  const wake = (): void => {
    if (performance.now() >= ends || !gate.enter(wake)) return;
    times.push(performance.now());
    gate.leave({ failure: new Error('refused') });
    wake();
  };
  wake();
  await vi.advanceTimersByTimeAsync(forMs);
  gate.forget(wake);
  return times;
}

test('all is let through while all is well', () => {
  const gate = new Gate();
  for (let place = 0; place < 50; place++) expect(gate.enter(nobody)).toBe(true);
});

test('ten attempts a second at the most, never in step, and never long apart', async () => {
  const times = await knock(new Gate(), 60_000);
  const pauses = times.slice(1).map((at, place) => at - (times[place] as number));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(100);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(260);
  expect(new Set(pauses.slice(5).map(Math.round)).size).toBeGreaterThan(20);
  for (const at of times) {
    expect(times.filter((other) => other >= at && other < at + 1_000).length).toBeLessThan(11);
  }
});

test('one attempt at a time while nobody opens', async () => {
  const gate = new Gate();
  gate.enter(nobody);
  gate.leave({ failure: new Error('refused') });
  expect(gate.outage).toMatchObject({ attempts: 1 });
  await vi.advanceTimersByTimeAsync(300);
  expect(gate.enter(nobody)).toBe(true);
  expect(gate.enter(nobody)).toBe(false);
});

test('on the return one, then two, then four, then all', () => {
  const gate = new Gate();
  gate.lost(60_000, new Error('cut'));
  const sizes: number[] = [];
  for (let round = 0; round < 5; round++) {
    let inside = 0;
    while (inside < 100 && gate.enter(nobody)) inside++;
    sizes.push(inside);
    gate.leave('served');
    for (let other = 1; other < inside; other++) gate.leave(undefined);
  }
  expect(sizes).toEqual([1, 2, 4, 8, 16]);
  expect(gate.outage).toBeUndefined();
});

test('a server that lets in and throws out is not knocked at without end', () => {
  const gate = new Gate();
  gate.lost(60_000, new Error('cut'));
  vi.advanceTimersByTime(10);
  expect(gate.enter(nobody)).toBe(true);
  gate.leave('served');
  vi.advanceTimersByTime(5);
  gate.lost(5, new Error('thrown out'));
  expect(gate.pauses).toBe(true);
  expect(gate.enter(nobody)).toBe(false);
});

test("an attempt that failed by its silence is in nobody else's way, and counted once", async () => {
  const gate = new Gate();
  gate.enter(nobody);
  gate.leave({ failure: new Error('silent') });
  await vi.advanceTimersByTimeAsync(300);
  expect(gate.enter(nobody)).toBe(true);
  // The first one has answered after all: there is place for two now, and one is inside.
  gate.reenter();
  gate.leave('served');
  expect(gate.outage).toBeUndefined();
  expect(gate.enter(nobody)).toBe(true);
  expect(gate.enter(nobody)).toBe(false);
});

test('who asked first is woken first, and nobody is forgotten', async () => {
  const gate = new Gate();
  gate.enter(nobody);
  gate.leave({ failure: new Error('refused') });
  const turns: string[] = [];
  const wakes = ['a', 'b', 'c'].map((name) => {
    const wake = (): void => {
      if (turns.length >= 9 || !gate.enter(wake)) return;
      turns.push(name);
      setTimeout(() => {
        gate.leave({ failure: new Error('refused') });
        wake();
      }, 1);
    };
    return wake;
  });
  for (const wake of wakes) wake();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(turns).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']);
});

test('no timer is left when nobody waits any more', () => {
  const gate = new Gate();
  gate.enter(nobody);
  gate.leave({ failure: new Error('refused') });
  const wake = vi.fn<() => void>();
  gate.enter(wake);
  expect(vi.getTimerCount()).toBe(1);
  gate.forget(wake);
  expect(vi.getTimerCount()).toBe(0);
});
