import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConsoleWatch } from './console-watch.ts';
import { PageStreams } from './page-streams.ts';

let watch: ConsoleWatch;
let streams: PageStreams;

beforeEach(() => {
  vi.useFakeTimers();
  watch = new ConsoleWatch();
  streams = new PageStreams(watch);
});

afterEach(() => {
  streams.end();
  watch.end();
  vi.useRealTimers();
});

/** What a page takes of its answer; one that takes nothing leaves the first piece unread. */
class Taker extends Writable {
  readonly taken: string[] = [];
  readonly #reads: boolean;

  constructor(reads: boolean) {
    super({ highWaterMark: 1 });
    this.#reads = reads;
  }

  writeHead(): this {
    return this;
  }

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(piece.toString());
    if (this.#reads) done();
  }

  get answer(): ServerResponse {
    return this as unknown as ServerResponse;
  }
}

test('a page that takes nothing is skipped, and let go after half a minute', async () => {
  const [stuck, well] = [new Taker(false), new Taker(true)];
  expect(streams.open(stuck.answer, false)).toBe(true);
  expect(streams.open(well.answer, false)).toBe(true);
  const held = stuck.writableLength;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(stuck.writableLength).toBe(held);
  expect(stuck.destroyed).toBe(false);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(stuck.destroyed).toBe(true);
  expect(well.taken.length).toBeGreaterThan(30);
  expect(well.destroyed).toBe(false);
});

test('an event is sent once to a page, and all of them to the next page', async () => {
  const first = new Taker(true);
  streams.open(first.answer, true);
  watch.events.note({ tone: 'bad', what: 'timeout', database: 'orders', words: 'Too long.' });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(first.taken.filter((text) => text.includes('Too long.'))).toHaveLength(1);
  const second = new Taker(true);
  streams.open(second.answer, true);
  expect(second.taken.join('')).toContain('Too long.');
});

test('a page is let go after ten minutes, so that it is judged anew', async () => {
  const page = new Taker(true);
  streams.open(page.answer, true);
  await vi.advanceTimersByTimeAsync(9 * 60_000);
  expect(page.writableEnded).toBe(false);
  await vi.advanceTimersByTimeAsync(2 * 60_000);
  expect(page.writableEnded).toBe(true);
});
