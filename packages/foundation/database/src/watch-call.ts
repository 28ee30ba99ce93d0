import type { StatementOptions } from '@dal/core';
import type { Runtime } from './runtime.ts';
import { toDalError } from './to-dal-error.ts';

interface Counts {
  readonly rowCount: number;
  readonly affectedRows: number;
}

/** Tells the hooks of one call, whatever it consists of. */
export async function watchCall<T>(
  runtime: Runtime,
  shown: string,
  tags: StatementOptions['tags'],
  work: () => Promise<T>,
  countsOf: (result: T) => Counts,
): Promise<T> {
  if (!runtime.hooks.watched) return work();
  const watch = begin(runtime, shown, tags);
  try {
    const result = await work();
    watch.after(countsOf(result));
    return result;
  } catch (error) {
    watch.failed(error);
    throw error;
  }
}

/** The same for a stream: from the beginning of its loop to its end, also an early one. */
export async function* watchStream<T>(
  runtime: Runtime,
  shown: string,
  tags: StatementOptions['tags'],
  stream: AsyncIterable<T>,
  rowsOf: (piece: T) => number,
): AsyncGenerator<T, void, undefined> {
  const watch = begin(runtime, shown, tags);
  let rowCount = 0;
  let failed = false;
  try {
    for await (const piece of stream) {
      rowCount += rowsOf(piece);
      yield piece;
    }
  } catch (error) {
    failed = true;
    watch.failed(error);
    throw error;
  } finally {
    if (!failed) watch.after({ rowCount, affectedRows: 0 });
  }
}

function begin(
  { hooks, name, driver }: Runtime,
  statement: string,
  tags: StatementOptions['tags'],
): { after(counts: Counts): void; failed(error: unknown): void } {
  const event = { database: name, statement, tags };
  const startedAt = performance.now();
  hooks.emit('query:before', event);
  return {
    after: (counts) => {
      const durationMs = performance.now() - startedAt;
      hooks.emit('query:after', { ...event, durationMs, ...counts });
    },
    failed: (thrown) => {
      const error = toDalError(driver, name, thrown, statement);
      const durationMs = performance.now() - startedAt;
      hooks.emit('query:error', { ...event, durationMs, error });
    },
  };
}
