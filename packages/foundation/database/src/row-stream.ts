import { type RowStream, usedStreamError } from '@dal/core';

/** Hands out the batches of one statement, once. Nothing happens before the loop begins. */
export class StatementStream<R> implements RowStream<R> {
  #open: (() => AsyncIterableIterator<R[]>) | undefined;

  constructor(open: () => AsyncIterableIterator<R[]>) {
    this.#open = open;
  }

  [Symbol.asyncIterator](): AsyncIterator<R[]> {
    const open = this.#open;
    if (open === undefined) throw usedStreamError();
    this.#open = undefined;
    return open();
  }

  rows(): AsyncIterable<R> {
    return { [Symbol.asyncIterator]: () => new SingleRows(this[Symbol.asyncIterator]()) };
  }
}

/** Rows one by one. Written out, because a generator would wait three times for every row. */
class SingleRows<R> implements AsyncIterator<R> {
  readonly #batches: AsyncIterator<R[]>;
  #batch: R[] = [];
  #at = 0;
  #ended = false;
  /** Shared by those who ask before the next batch has come. */
  #pulling: Promise<void> | undefined;

  constructor(batches: AsyncIterator<R[]>) {
    this.#batches = batches;
  }

  async next(): Promise<IteratorResult<R>> {
    while (this.#at >= this.#batch.length) {
      if (this.#ended) return { done: true, value: undefined };
      this.#pulling ??= this.#pull();
      await this.#pulling;
    }
    return { done: false, value: this.#batch[this.#at++] as R };
  }

  async return(): Promise<IteratorResult<R>> {
    this.#end();
    await this.#batches.return?.();
    return { done: true, value: undefined };
  }

  async #pull(): Promise<void> {
    try {
      const step = await this.#batches.next();
      if (step.done) this.#end();
      else {
        this.#batch = step.value;
        this.#at = 0;
      }
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      this.#pulling = undefined;
    }
  }

  #end(): void {
    this.#ended = true;
    this.#batch = [];
    this.#at = 0;
  }
}
