import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { whenOver } from './when-over.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What was called, and in which order. */
function watch(ms: number, signal?: AbortSignal): { readonly said: string[]; end(): void } {
  const said: string[] = [];
  const at = performance.now() + ms;
  const end = whenOver(
    { at, signal },
    () => said.push('late'),
    ({ reason }) => said.push(`aborted: ${reason}`),
  );
  return { said, end };
}

test('the moment comes first, and the signal is let go', () => {
  const controller = new AbortController();
  const { said } = watch(100, controller.signal);
  vi.advanceTimersByTime(99);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(2);
  controller.abort('why');
  expect(said).toEqual(['late']);
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
});

test('the signal comes first, and the moment means nothing any more', () => {
  const controller = new AbortController();
  const { said } = watch(100, controller.signal);
  controller.abort('why');
  vi.advanceTimersByTime(200);
  expect(said).toEqual(['aborted: why']);
});

test('who ends the watch is not called', () => {
  const controller = new AbortController();
  const { said, end } = watch(100, controller.signal);
  end();
  end();
  controller.abort('why');
  vi.advanceTimersByTime(200);
  expect(said).toEqual([]);
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
});

test('an aborted signal is told at once, and nothing is left waiting', () => {
  const { said, end } = watch(100, AbortSignal.abort('why'));
  expect(said).toEqual(['aborted: why']);
  vi.advanceTimersByTime(200);
  end();
  expect(said).toEqual(['aborted: why']);
});

test('no moment and no signal: nothing ever happens', () => {
  const { said } = watch(Infinity);
  vi.advanceTimersByTime(1e9);
  expect(said).toEqual([]);
});
