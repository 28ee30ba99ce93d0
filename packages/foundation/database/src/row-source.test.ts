import { getEventListeners } from 'node:events';
import { deadlineAfter } from '@dal/core';
import { expect, test } from 'vitest';
import { RowSource } from './row-source.ts';

const none = deadlineAfter(Infinity);
const asList = (row: unknown): unknown[] => [row];
const few = { rows: 3, bytes: 1_000 };

async function batchesOf(source: RowSource<unknown>, limits = few): Promise<unknown[][]> {
  const batches: unknown[][] = [];
  for (;;) {
    const batch = await source.batch(limits, asList);
    if (batch.length === 0) return batches;
    batches.push(batch.map(([value]) => value));
  }
}

async function* later<T>(rows: Iterable<T>): AsyncGenerator<T> {
  yield* rows;
}

test('batches of at most so many rows, from all kinds of sources', async () => {
  const rows = [1, 2, 3, 4, 5, 6, 7];
  for (const source of [rows, new Set(rows), later(rows), rows.values()]) {
    const taken = new RowSource<unknown>(source, none, 'it');
    expect(await taken.peek()).toEqual({ row: 1 });
    expect(await batchesOf(taken)).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
    expect(taken.count).toBe(7);
  }
  expect(await batchesOf(new RowSource<unknown>([], none, 'it'))).toEqual([]);
});

test('rows that are large make smaller batches; one that is too large goes alone', async () => {
  const rows = ['a'.repeat(600), 'b'.repeat(600), Buffer.alloc(5_000), 'c'];
  const sizes = (await batchesOf(new RowSource<unknown>(rows, none, 'it'))).map((b) => b.length);
  expect(sizes).toEqual([2, 1, 1]);
});

test('what the source throws is kept apart, and told in the form of the layer', async () => {
  const mine = new Error('mine');
  const broken = [
    (function* () {
      yield 1;
      throw mine;
    })(),
    (async function* () {
      yield 1;
      throw mine;
    })(),
  ];
  for (const rows of broken) {
    const source = new RowSource<unknown>(rows, none, 'it');
    await source.peek();
    await expect(batchesOf(source)).rejects.toMatchObject({ code: 'DAL_ROW_SOURCE', cause: mine });
    expect(source.failure).toEqual({ error: mine });
    await source.close();
  }
});

test('a source that was not read to its end is closed, once', async () => {
  for (const make of ['sync', 'async']) {
    let closed = 0;
    const rows = {
      next: () => ({ done: false as const, value: 1 }),
      return: () => {
        closed++;
        return { done: true as const, value: undefined };
      },
    };
    const iterable =
      make === 'sync'
        ? { [Symbol.iterator]: () => rows }
        : {
            [Symbol.asyncIterator]: () => ({
              next: () => Promise.resolve(rows.next()),
              return: () => Promise.resolve(rows.return()),
            }),
          };
    const source = new RowSource<unknown>(iterable as Iterable<unknown>, none, 'it');
    await source.batch(few, asList);
    await source.close();
    await source.close();
    expect(closed).toBe(1);
  }
});

test('time and signal end the wait for a row, and nothing of them stays', async () => {
  const hanging = (): AsyncIterable<number> => ({
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
  });
  const late = new RowSource<unknown>(hanging(), deadlineAfter(20), 'it');
  await expect(late.peek()).rejects.toMatchObject({ kind: 'statementTimeout' });
  await late.close();

  const aborter = new AbortController();
  const { signal } = aborter;
  const source = new RowSource<unknown>(hanging(), deadlineAfter(Infinity, signal), 'it');
  const waiting = source.batch(few, asList);
  aborter.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'DAL_ABORTED' });
  await expect(source.batch(few, asList)).rejects.toMatchObject({ code: 'DAL_ABORTED' });
  await source.close();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(source.failure).toBeUndefined();

  const aborted = AbortSignal.abort();
  const never = new RowSource<unknown>([1], deadlineAfter(Infinity, aborted), 'it');
  await expect(never.peek()).rejects.toMatchObject({ code: 'DAL_ABORTED' });
});
