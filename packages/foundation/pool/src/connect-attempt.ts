/** A connect in flight: since when, whether anything was heard of it, and the way to give it up. */
export class ConnectAttempt {
  readonly beganAt: number = performance.now();
  readonly #control = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  #silent = false;

  /** `onSilent` is called once, when it has neither ended nor been given up after `patienceMs`. */
  constructor(patienceMs: number, onSilent: () => void) {
    if (patienceMs === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#silent = true;
      onSilent();
    }, patienceMs);
  }

  /** It takes longer than it should; it may succeed all the same. */
  get silent(): boolean {
    return this.#silent;
  }

  get signal(): AbortSignal {
    return this.#control.signal;
  }

  get givenUp(): boolean {
    return this.#control.signal.aborted;
  }

  giveUp(reason: Error): void {
    this.end();
    this.#control.abort(reason);
  }

  /** To be called when it has succeeded or failed. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
