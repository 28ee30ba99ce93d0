import { type SyncRowStream, usedStreamError } from '@dal/core';
import { unpackRows } from './carried-values.ts';

/** Asks for the next batch (undefined: there are no more), or says that nobody wants it. */
type AskStream<R> = (op: 'next' | 'stop') => R[] | undefined;

/** Batches that stay in the worker until they are asked for. */
export class RemoteStream<R> implements SyncRowStream<R> {
  #open: (() => AskStream<R>) | undefined;

  constructor(open: () => AskStream<R>) {
    this.#open = open;
  }

  *[Symbol.iterator](): Generator<R[], void, undefined> {
    const open = this.#open;
    if (open === undefined) throw usedStreamError();
    this.#open = undefined;
    const ask = open();
    let ended = false;
    try {
      for (;;) {
        let batch: R[] | undefined;
        try {
          batch = ask('next');
        } catch (error) {
          ended = true;
          throw error;
        }
        if (batch === undefined) {
          ended = true;
          return;
        }
        unpackRows(batch);
        yield batch;
      }
    } finally {
      if (!ended) ask('stop');
    }
  }

  *rows(): Generator<R, void, undefined> {
    for (const batch of this) yield* batch;
  }
}
