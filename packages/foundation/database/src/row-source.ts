import { abortError, type Deadline, QueryError, remainingMs, within } from '@dal/core';

type Rows<T> = Iterable<T> | AsyncIterable<T>;

/** How long a source may take to close after its rows weren't all needed. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface BatchLimits {
  readonly rows: number;
  readonly bytes: number;
}

/** Rows of the user's, taken in batches; ends with the deadline also when the source hangs. */
export class RowSource<T> {
  /** What the source itself threw; it goes to the user as it is. */
  failure: { readonly error: unknown } | undefined;
  /** How many rows were taken. */
  count = 0;
  readonly #rows: Rows<T>;
  readonly #deadline: Deadline;
  readonly #what: string;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onAbort: () => void;
  #iterator: Iterator<T> | AsyncIterator<T> | undefined;
  #peeked: { readonly row: T } | undefined;
  #isDone = false;
  #stopped: Error | undefined;
  /** A row was asked for that hasn't come. */
  #owes = false;
  /** Ends the wait for the next row. */
  #giveUp: ((error: Error) => void) | undefined;

  /** @param what names the call in messages */
  constructor(rows: Rows<T>, deadline: Deadline, what: string) {
    this.#rows = rows;
    this.#deadline = deadline;
    this.#what = what;
    const { signal } = deadline;
    this.#onAbort = () => this.#stop(abortError(signal as AbortSignal, what));
    const left = remainingMs(deadline);
    if (left !== Infinity) this.#timer = setTimeout(() => this.#stop(this.#tooLate()), left);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  /** The first row, which `batch` will still hold; undefined when there is none. */
  async peek(): Promise<{ readonly row: T } | undefined> {
    this.#peeked ??= await this.#next();
    return this.#peeked;
  }

  /** The next rows as values; an empty list after the last one. */
  async batch(
    { rows, bytes }: BatchLimits,
    valuesOf: (row: T, index: number) => readonly unknown[],
  ): Promise<(readonly unknown[])[]> {
    const batch: (readonly unknown[])[] = [];
    let size = 0;
    while (batch.length < rows && size < bytes) {
      const next = this.#take() ?? (await this.#next());
      if (next === undefined) break;
      const values = valuesOf(next.row, this.count++);
      for (const value of values) size += sizeOf(value);
      batch.push(values);
    }
    if (this.#stopped) throw this.#stopped;
    return batch;
  }

  /** Tells a source that wasn't read to its end that nobody will. Never rejects. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#deadline.signal?.removeEventListener('abort', this.#onAbort);
    if (this.#isDone) return;
    this.#isDone = true;
    const iterator = this.#iterator;
    const closed = Promise.resolve().then(() => iterator?.return?.());
    // A generator that still owes a row answers only after it.
    if (this.#owes) closed.catch(() => undefined);
    else await within(CLOSE_TIMEOUT_MS, closed);
  }

  /** A row that is there without waiting: peeked at, or of a source that isn't async. */
  #take(): { readonly row: T } | undefined {
    const peeked = this.#peeked;
    if (peeked !== undefined) {
      this.#peeked = undefined;
      return peeked;
    }
    if (this.#isDone || this.#stopped || this.#iterator === undefined) return undefined;
    if (Symbol.asyncIterator in this.#rows) return undefined;
    try {
      return this.#read((this.#iterator as Iterator<T>).next());
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async #next(): Promise<{ readonly row: T } | undefined> {
    if (this.#stopped) throw this.#stopped;
    if (this.#isDone) return undefined;
    try {
      this.#iterator ??= iteratorOf(this.#rows);
      const step = this.#iterator.next();
      this.#owes = true;
      const result = step instanceof Promise ? await this.#within(step) : step;
      this.#owes = false;
      return this.#read(result);
    } catch (error) {
      if (this.#isStop(error)) throw error;
      this.#owes = false;
      throw this.#failed(error);
    }
  }

  #isStop(error: unknown): error is Error {
    return error !== undefined && error === this.#stopped;
  }

  #read(step: IteratorResult<T>): { readonly row: T } | undefined {
    if (!step.done) return { row: step.value };
    this.#isDone = true;
    return undefined;
  }

  /** The step, or the end of the time for it; without either there is nothing to watch. */
  #within(step: Promise<IteratorResult<T>>): Promise<IteratorResult<T>> {
    const { at, signal } = this.#deadline;
    if (at === Infinity && signal === undefined) return step;
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      step.then(resolve, reject);
    });
  }

  #failed(error: unknown): Error {
    // An iterator that threw has ended.
    this.#isDone = true;
    this.failure = { error };
    // The layer's own form, so that no driver takes it for a fault of its line.
    return new QueryError(`The rows for ${this.#what} could not be read.`, {
      kind: 'usage',
      code: 'DAL_ROW_SOURCE',
      cause: error,
      fault: { kind: 'usage', applied: 'no' },
    });
  }

  #stop(error: Error): void {
    this.#stopped ??= error;
    this.#giveUp?.(error);
  }

  #tooLate(): QueryError {
    const { timeoutMs } = this.#deadline;
    return new QueryError(
      `${this.#what} was stopped after ${Math.round(timeoutMs)} ms, before all of its rows had come. Nothing of it stays.`,
      {
        kind: 'statementTimeout',
        code: 'DAL_STATEMENT_TIMEOUT',
        fault: { kind: 'statementTimeout', applied: 'no' },
      },
    );
  }
}

function iteratorOf<T>(rows: Rows<T>): Iterator<T> | AsyncIterator<T> {
  return Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  return 8;
}
