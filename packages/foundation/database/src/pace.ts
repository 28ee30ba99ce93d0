import { type DalError, type Deadline, QueryError } from '@dal/core';
import type { Runtime } from './runtime.ts';

/**
 * The time of a load that has no deadline of its own: the server may take the statement's time for
 * each batch, and as long as it likes only while it is us who owe it one.
 */
export class Pace {
  /** What ends the load: its own deadline, its signal, or a server that is stuck. */
  readonly deadline: Deadline;
  /** Set when the server was stuck. */
  tooSlow: DalError | undefined;
  readonly #runtime: Runtime;
  readonly #stop: AbortController;
  readonly #signal: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(runtime: Runtime, deadline: Deadline) {
    this.#runtime = runtime;
    this.#signal = deadline.signal;
    this.#stop = new AbortController();
    this.deadline = { ...deadline, signal: this.#stop.signal };
    if (this.#signal?.aborted) this.#pass();
    else this.#signal?.addEventListener('abort', this.#pass, { once: true });
    this.work();
  }

  /** It is the server's turn. */
  work(): void {
    this.rest();
    const { statementTimeoutMs } = this.#runtime.settings;
    if (this.deadline.at !== Infinity || statementTimeoutMs === Infinity) return;
    this.#timer = setTimeout(() => this.#giveUp(statementTimeoutMs), statementTimeoutMs);
  }

  /** It is our turn. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.rest();
    this.#signal?.removeEventListener('abort', this.#pass);
  }

  readonly #pass = (): void => this.#stop.abort(this.#signal?.reason);

  #giveUp(timeoutMs: number): void {
    this.tooSlow = new QueryError(
      `bulkInsert was stopped on "${this.#runtime.name}": the server did not take a batch of rows within ${Math.round(timeoutMs)} ms. Nothing of it stays.`,
      {
        kind: 'statementTimeout',
        code: 'DAL_STATEMENT_TIMEOUT',
        fault: { kind: 'statementTimeout', applied: 'no' },
      },
    );
    this.#runtime.pool.count('statementTimeouts');
    this.#stop.abort(this.tooSlow);
  }
}
