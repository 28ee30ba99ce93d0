import type { ValueOptions } from '@dal/core';
import { closedError, type Command, type Field, type Line } from './line.ts';
import { readRows } from './native-result.ts';

/** What a stream needs of its session. */
export interface StreamSource {
  readonly line: Line;
  readonly start: () => Command;
  /** Rejects with the statement's error, when what follows from it is known. */
  readonly failed: (error: Error) => Promise<never>;
  readonly cancel: () => Promise<void>;
  readonly destroy: () => void;
  readonly options: ValueOptions;
  readonly rowsAsArray: boolean;
}

/** An early leave first reads on for this long, which is enough for a short rest. */
const DRAIN_MS = 50;
/** Then the statement is killed, and its last answer must come within this. */
const KILLED_MS = 2_000;

/**
 * Rows in batches. The line is paused while a full batch waits, so that besides the batch in the
 * caller's hands there is at most one more.
 */
export async function* streamRows(
  source: StreamSource,
  batchSize: number,
): AsyncGenerator<unknown[], void, void> {
  const { line } = source;
  let fields: Field[] | undefined;
  let batch: unknown[] = [];
  let isPaused = false;
  let isDone = false;
  let isLeft = false;
  let failure: Error | undefined;
  let wake = asleep;
  const ended = (error: unknown): void => {
    failure ??= error as Error;
    isDone = true;
    wake();
  };

  if (line.ended) throw closedError();
  line.once('ended', ended);
  try {
    const command = source.start();
    let resultOfRows: number | undefined;
    command.on('fields', (some) => (fields ??= some));
    command.on('result', (row, index) => {
      // Without an index it is the count of a statement without rows.
      if (isLeft || index === undefined) return;
      resultOfRows ??= index;
      if (index !== resultOfRows) return;
      batch.push(row);
      if (batch.length >= batchSize && !isPaused) {
        isPaused = true;
        line.pause();
        wake();
      }
    });
    command.on('error', (error) => (failure ??= error));
    command.on('end', () => {
      isDone = true;
      wake();
    });

    for (;;) {
      if (!isDone && !isPaused) {
        // oxlint-disable-next-line no-await-in-loop -- one batch after another
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (failure !== undefined) {
        if (line.ended) throw failure;
        // oxlint-disable-next-line no-await-in-loop -- it ends the loop
        await source.failed(failure);
      }
      const rows = batch;
      batch = [];
      if (isPaused) {
        isPaused = false;
        line.resume();
      }
      if (rows.length > 0) yield readRows(rows, fields ?? [], source.options);
      if (isDone && batch.length === 0 && failure === undefined) return;
    }
  } finally {
    isLeft = true;
    batch = [];
    if (!isDone) {
      line.resume();
      await leave(
        source,
        () => isDone,
        (listener) => (wake = listener),
      );
    }
    line.off('ended', ended);
  }
}

const asleep = (): void => undefined;

/** Brings the session back to rest: reads on, then kills the statement, then gives the session up. */
async function leave(
  { cancel, destroy }: StreamSource,
  isDone: () => boolean,
  onWake: (listener: () => void) => void,
): Promise<void> {
  const within = (ms: number): Promise<boolean> =>
    new Promise((resolve) => {
      if (isDone()) return resolve(true);
      const timer = setTimeout(() => resolve(false), ms);
      onWake(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  if (await within(DRAIN_MS)) return;
  try {
    await cancel();
  } catch {
    destroy();
    return;
  }
  if (!(await within(KILLED_MS))) destroy();
}
