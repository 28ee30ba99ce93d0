import { type AttemptMessage, channels, type DalError } from '@dal/core';

/**
 * A stream as an attempt, for those who watch: its time is that of the waits for pieces, which is told
 * as it grows.
 */
export class StreamAttempt {
  readonly #message: AttemptMessage;
  #rowCount = 0;

  /** Undefined when nobody watches. */
  static begin(about: Omit<AttemptMessage, 'startedAt'>): StreamAttempt | undefined {
    return channels.attempt.hasSubscribers ? new StreamAttempt(about) : undefined;
  }

  constructor(about: Omit<AttemptMessage, 'startedAt'>) {
    this.#message = { ...about, startedAt: performance.now() };
    channels.attempt.start.publish(this.#message);
    channels.attempt.end.publish(this.#message);
  }

  /** The next piece, with the time that it takes. */
  async timed<T>(piece: Promise<IteratorResult<T, unknown>>): Promise<IteratorResult<T, unknown>> {
    const from = performance.now();
    try {
      const step = await piece;
      if (!step.done && Array.isArray(step.value)) this.#rowCount += step.value.length;
      return step;
    } finally {
      const { durationMs = 0 } = this.#message;
      this.#message.durationMs = durationMs + performance.now() - from;
    }
  }

  failed(error: DalError): void {
    this.#message.error = error;
  }

  end(): void {
    const message = this.#message;
    const { error, asyncStart, asyncEnd } = channels.attempt;
    message.durationMs ??= 0;
    if (message.error) error.publish(message);
    else message.result = { rowCount: this.#rowCount, affectedRows: 0 };
    asyncStart.publish(message);
    asyncEnd.publish(message);
  }
}
