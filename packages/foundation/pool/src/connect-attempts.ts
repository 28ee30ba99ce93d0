/** Connects in flight, so that all can be given up at once. */
export class ConnectAttempts {
  readonly #running = new Set<AbortController>();
  #reason: Error | undefined;

  /** Runs an attempt. Its signal is of no meaning any more when it has settled. */
  async run<T>(attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const control = new AbortController();
    if (this.#reason) control.abort(this.#reason);
    this.#running.add(control);
    try {
      return await attempt(control.signal);
    } finally {
      this.#running.delete(control);
    }
  }

  /** Ends those that run, and all that begin later, for this reason. */
  giveUp(reason: Error): void {
    this.#reason = reason;
    for (const control of this.#running) control.abort(reason);
  }
}
