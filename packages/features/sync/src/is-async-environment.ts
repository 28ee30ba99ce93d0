const mark = Symbol.for('dal.sync.worker');

interface Marked {
  [mark]?: true;
}

/**
 * True where awaited calls are the natural ones, which is everywhere in Node; false inside the worker
 * thread that serves blocking calls, where a caller is standing still.
 */
export function isAsyncEnvironment(): boolean {
  return (globalThis as Marked)[mark] !== true;
}

export function markAsSyncWorker(): void {
  (globalThis as Marked)[mark] = true;
}
