import {
  type CallResult,
  channels,
  type DalError,
  type QueryMessage,
  type SlowQueryMessage,
  type StatementOptions,
  trace,
  type TransactionMessage,
} from '@dal/core';
import { callerLines } from '@dal/pool';
import type { Runtime } from './runtime.ts';
import { toDalError } from './to-dal-error.ts';

/** What a call of the user's is, for those who watch. */
export interface Call {
  readonly statement: string;
  readonly kind: QueryMessage['kind'];
  readonly tags: StatementOptions['tags'];
  /** The transaction that it is part of, when somebody listens to those. */
  readonly parent: TransactionMessage | undefined;
}

/** Somebody wants to know of calls: asked before anything is made for them. */
export function isWatched({ hooks }: Runtime): boolean {
  return hooks.watched || channels.query.hasSubscribers || channels.slowQuery.hasSubscribers;
}

/** Tells hooks and channels of one call, whatever it consists of. */
export async function watchCall<T>(
  runtime: Runtime,
  call: Call,
  work: (message: QueryMessage) => Promise<T>,
  countsOf: (result: T) => CallResult,
): Promise<T> {
  const watch = new Watch(runtime, call);
  try {
    const result = await trace(channels.query, watch.message, () => work(watch.message), {
      resultOf: countsOf,
      judge: watch.judge,
    });
    watch.after();
    return result;
  } catch (error) {
    watch.failed();
    throw error;
  } finally {
    // Here the stack still names the callers that are waiting.
    watch.ifSlow(() => callerLines(new Error('slow')));
  }
}

/** The same for a stream: from the beginning of its loop to its end, also an early one. */
export async function* watchStream<T>(
  runtime: Runtime,
  call: Call,
  open: (message: QueryMessage) => AsyncIterable<T>,
  rowsOf: (piece: T) => number,
): AsyncGenerator<T, void, undefined> {
  const watch = new Watch(runtime, call);
  const { message } = watch;
  const { start, end, error: failed, asyncStart, asyncEnd } = channels.query;
  let rowCount = 0;
  start.publish(message);
  end.publish(message);
  try {
    for await (const piece of open(message)) {
      rowCount += rowsOf(piece);
      yield piece;
    }
  } catch (thrown) {
    message.error = watch.judge(thrown);
    throw thrown;
  } finally {
    message.durationMs = performance.now() - message.startedAt;
    if (message.error) failed.publish(message);
    else message.result = { rowCount, affectedRows: 0 };
    asyncStart.publish(message);
    asyncEnd.publish(message);
    if (message.error) watch.failed();
    else watch.after();
  }
}

class Watch {
  readonly message: QueryMessage;
  readonly #runtime: Runtime;

  constructor(runtime: Runtime, { statement, kind, tags, parent }: Call) {
    this.#runtime = runtime;
    const { observed: database, hooks } = runtime;
    const startedAt = performance.now();
    this.message = { database, statement, kind, tags, parent, startedAt };
    hooks.emit('query:before', this.#event);
  }

  get #event(): { database: string; statement: string; tags: StatementOptions['tags'] } {
    const { statement, tags } = this.message;
    return { database: this.#runtime.name, statement, tags };
  }

  readonly judge = (thrown: unknown): DalError =>
    toDalError(this.#runtime.driver, this.#runtime.name, thrown, this.message.statement);

  after(): void {
    const { durationMs = 0, result } = this.message;
    const { rowCount = 0, affectedRows = 0 } = result ?? {};
    this.#runtime.hooks.emit('query:after', { ...this.#event, durationMs, rowCount, affectedRows });
  }

  failed(): void {
    const { durationMs = 0, error } = this.message;
    if (error) this.#runtime.hooks.emit('query:error', { ...this.#event, durationMs, error });
  }

  ifSlow(stack: () => string): void {
    const { hooks, settings, observed } = this.#runtime;
    const { durationMs = 0, statement, tags, error } = this.message;
    const thresholdMs = settings.slowQueryMs;
    if (durationMs < thresholdMs) return;
    const message: SlowQueryMessage = {
      database: observed,
      statement,
      tags,
      durationMs,
      thresholdMs,
      stack: stack(),
      error,
    };
    hooks.emit('slowQuery', { ...message, database: observed.name });
    channels.slowQuery.publish(message);
  }
}
