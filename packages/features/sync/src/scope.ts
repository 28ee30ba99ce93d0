import { AsyncLocalStorage } from 'node:async_hooks';

/** What work in a scope has come to. */
export type ScopeEvent<Asked> =
  /** It waits for `give` or `fail`. */
  | {
      readonly kind: 'asked';
      readonly asked: Asked;
      /** Runs something as if the asking work itself did it. */
      readonly inside: <T>(work: () => T) => T;
    }
  | { readonly kind: 'ended'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * Asynchronous work that now and then needs something from a thread which can only ask questions:
 * `next` tells what it came to. It may also end by itself while nobody asks.
 */
export class Scope<Asked, Given> {
  readonly #events: ScopeEvent<Asked>[] = [];
  #listener: ((event: ScopeEvent<Asked>) => void) | undefined;
  #waiting: PromiseWithResolvers<Given> | undefined;

  constructor(work: (ask: (asked: Asked) => Promise<Given>) => Promise<unknown>) {
    work((asked) => this.#ask(asked)).then(
      (value) => this.#push({ kind: 'ended', value }),
      (error: unknown) => this.#push({ kind: 'failed', error }),
    );
  }

  give(given: Given): void {
    this.#waiting?.resolve(given);
    this.#waiting = undefined;
  }

  fail(error: unknown): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  next(): Promise<ScopeEvent<Asked>> {
    const event = this.#events.shift();
    if (event) return Promise.resolve(event);
    return new Promise((resolve) => {
      this.#listener = resolve;
    });
  }

  #ask(asked: Asked): Promise<Given> {
    const waiting = (this.#waiting = Promise.withResolvers<Given>());
    this.#push({ kind: 'asked', asked, inside: AsyncLocalStorage.snapshot() });
    return waiting.promise;
  }

  #push(event: ScopeEvent<Asked>): void {
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener) listener(event);
    else this.#events.push(event);
  }
}
