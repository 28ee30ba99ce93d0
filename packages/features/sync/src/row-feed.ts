import { ConfigError } from '@dal/core';
import { portableRow } from './carried-values.ts';

/** Rows that travel together. */
const BATCH_ROWS = 1_000;

/** Takes rows from the user's iterable, a batch at a time, fit to travel. */
export class RowFeed {
  readonly #rows: Iterable<unknown>;
  #iterator: Iterator<unknown> | undefined;
  #count = 0;
  #ended = false;

  constructor(rows: Iterable<unknown>) {
    if (typeof (rows as Partial<Iterable<unknown>> | undefined)?.[Symbol.iterator] !== 'function') {
      throw new ConfigError(
        'A blocking call takes its rows from a list or another iterable; nothing can be awaited here. Nothing was sent.',
        { kind: 'usage', code: 'DAL_VALUE' },
      );
    }
    this.#rows = rows;
  }

  /** Undefined when there are no more. @throws what the iterable throws, or a row that can't travel */
  next(): readonly unknown[] | undefined {
    const batch: unknown[] = [];
    while (batch.length < BATCH_ROWS && !this.#ended) {
      const step = this.#step();
      if (step.done) this.#ended = true;
      else batch.push(portableRow(step.value, this.#count++));
    }
    return batch.length === 0 ? undefined : batch;
  }

  /** Says to the iterable that nothing more is wanted, if it isn't at its end. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#iterator?.return?.();
  }

  #step(): IteratorResult<unknown> {
    try {
      this.#iterator ??= this.#rows[Symbol.iterator]();
      return this.#iterator.next();
    } catch (error) {
      // Who threw is at its end.
      this.#ended = true;
      throw error;
    }
  }
}
