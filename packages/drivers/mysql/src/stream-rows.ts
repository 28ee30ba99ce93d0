import type { NativeStatement, ValueOptions } from '@dal/core';
import type { RowSink } from './execution.ts';
import { closedError, type Command, type Line } from './line.ts';
import type { Field, OkAnswer } from './protocol.ts';
import { type RowReaders, rowReaders } from './native-result.ts';

/** What a stream needs of its session. */
export interface StreamSource {
  readonly line: Line;
  /** Sends the statement. @throws ConfigError for values that don't fit */
  readonly start: (sink: RowSink, ended: (error: Error | null) => void) => void;
  /** Rejects with the statement's error, when what follows from it is known. */
  readonly failed: (error: Error) => Promise<never>;
  readonly cancel: () => Promise<void>;
  readonly destroy: () => void;
}

/** An early leave first reads on for this long, which is enough for a short rest. */
const DRAIN_MS = 20;
/** Then the statement is killed, and its last answer must come within this. */
const KILLED_MS = 2_000;

/**
 * Rows in batches. The socket is paused while a full batch waits, so that besides the batch in the
 * caller's hands there is at most one more, and what had arrived together with its last row.
 */
export async function* streamRows(
  source: StreamSource,
  batchSize: number,
): AsyncGenerator<unknown[], void, void> {
  const { line } = source;
  let rows: unknown[] = [];
  let taken = 0;
  let isPaused = false;
  let isDone = false;
  let isLeft = false;
  let failure: Error | undefined;
  /** A row that can't be told as the options want it. */
  let unreadable: { readonly why: unknown } | undefined;
  let wake = asleep;
  const pause = (): void => {
    isPaused = true;
    line.stream.pause();
  };
  const resume = (): void => {
    isPaused = false;
    line.stream.resume();
  };
  const receive: RowSink = (row, readers) => {
    if (isLeft || unreadable !== undefined) return;
    if (readers.length > 0) {
      try {
        readers.read(row as Record<string | number, unknown>);
      } catch (error) {
        unreadable = { why: error };
        wake();
        return;
      }
    }
    rows.push(row);
    if (rows.length - taken >= batchSize && !isPaused) {
      pause();
      wake();
    }
  };
  const end = (error: unknown): void => {
    failure ??= (error as Error | null) ?? undefined;
    isDone = true;
    wake();
  };

  if (line.ended) throw closedError();
  line.once('ended', end);
  try {
    source.start(receive, end);
    for (;;) {
      // oxlint-disable-next-line no-unmodified-loop-condition -- changed by what arrives
      while (rows.length - taken < batchSize && !isDone && unreadable === undefined) {
        if (isPaused) resume();
        // oxlint-disable-next-line no-await-in-loop -- one batch after another
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (failure !== undefined) {
        if (line.ended) throw failure;
        // oxlint-disable-next-line no-await-in-loop -- it ends the loop
        await source.failed(failure);
      }
      const batch = rows.slice(taken, taken + batchSize);
      taken += batch.length;
      if (rows.length - taken < batchSize) {
        rows = rows.slice(taken);
        taken = 0;
        if (unreadable !== undefined) throw unreadable.why;
        // The next batch comes while the caller is busy with this one.
        if (isPaused && !isDone) resume();
      }
      if (batch.length > 0) yield batch;
      if (isDone && rows.length === taken && failure === undefined) return;
    }
  } finally {
    isLeft = true;
    rows = [];
    if (isPaused) resume();
    if (!isDone) {
      await leave(
        source,
        () => isDone,
        (listener) => (wake = listener),
      );
    }
    line.off('ended', end);
  }
}

/** A statement without values, in the text protocol. Of a CALL only the first result with rows counts. */
export function streamText(
  line: Line,
  { text, rowMode }: NativeStatement,
  options: ValueOptions,
  sink: RowSink,
  ended: (error: Error | null) => void,
): void {
  const rowsAsArray = rowMode === 'array';
  const readersOf = (fields: readonly Field[]): RowReaders =>
    rowReaders(fields, options, rowsAsArray);
  readCommand(line, line.ask({ sql: text, rowsAsArray }), readersOf, sink, ended);
}

/** The rows of a command of mysql2's that has no callback. */
export function readCommand(
  line: Line,
  command: Command,
  readersOf: (fields: readonly Field[]) => RowReaders,
  sink: RowSink,
  ended: (error: Error | null) => void,
): void {
  let readers: RowReaders | undefined;
  let result: number | undefined;
  let failure: Error | null = null;
  command.on('fields', (fields: Field[] | undefined) => {
    if (fields !== undefined) readers ??= readersOf(fields);
  });
  command.on('result', (row, index) => {
    // Without an index it is the count of a statement without rows.
    if (index === undefined) return line.noteStatus((row as OkAnswer).serverStatus);
    result ??= index;
    if (index === result) sink(row, readers as RowReaders);
  });
  command.on('error', (error) => (failure = error));
  command.on('end', () => ended(failure));
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
