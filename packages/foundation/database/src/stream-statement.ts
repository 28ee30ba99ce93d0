import {
  ConfigError,
  type DalError,
  type Deadline,
  deadlineAfter,
  type DriverConnection,
  durationMs,
  type QueryMessage,
  sooner,
  type StreamOptions,
} from '@dal/core';
import type { Lease } from '@dal/pool';
import { acquireFor } from './acquire-lease.ts';
import type { CompiledStatement } from './compile-statement.ts';
import { type Retries, statementRetries } from './retries.ts';
import { giveBack } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { StreamReader } from './stream-reader.ts';
import { toDalError } from './to-dal-error.ts';

/** What is streamed, and for how long. */
export interface StreamCall<T> {
  readonly statement: CompiledStatement;
  readonly open: (connection: DriverConnection) => AsyncIterable<T>;
  /** For the whole stream. Default: each piece has the statement's time. */
  readonly timeoutMs: number | string | undefined;
  readonly signal: AbortSignal | undefined;
  /** The call, when somebody watches. */
  readonly message: QueryMessage | undefined;
}

/** The rows of a statement, by the driver's stream where it has one. */
export function rowStreamCall<R>(
  statement: CompiledStatement,
  options: StreamOptions | undefined,
): StreamCall<R[]> {
  const batchSize = options?.batchSize ?? 1_000;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ConfigError('batchSize must be a whole number from 1.', {
      kind: 'usage',
      code: 'DAL_CONFIG_VALUE',
    });
  }
  const open = (connection: DriverConnection): AsyncIterable<R[]> => {
    const batches = connection.stream
      ? connection.stream(statement, batchSize)
      : wholeResult(connection, statement, batchSize);
    return batches as AsyncIterable<R[]>;
  };
  const { timeoutMs, signal } = options ?? {};
  return { statement, open, timeoutMs, signal, message: undefined };
}

/** For drivers that can't stream: the result is in memory once, and is handed out in batches. */
async function* wholeResult(
  connection: DriverConnection,
  statement: CompiledStatement,
  batchSize: number,
): AsyncGenerator<unknown[], void, undefined> {
  const { rows } = await connection.query(statement);
  for (let start = 0; start < rows.length; start += batchSize) {
    yield rows.slice(start, start + batchSize);
  }
}

/** What a connection or transaction has to say about the streams on it. */
export interface StreamScope {
  /** The time of a transaction; no stream lasts longer. */
  readonly deadline?: Deadline;
  /** Throws when the scope has ended; asked before every piece. */
  readonly check?: () => void;
  readonly onError?: (error: DalError) => void;
  /** The session takes other statements again; its reader may still be in the body of its loop. */
  readonly onFree?: () => void;
}

/** How long the pieces of a stream may take: all together, or each. */
export interface StreamTimes {
  readonly whole: Deadline | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Streams on a connection of the pool, which is lent for as long as the loop runs. */
export async function* streamOnPool<T>(
  runtime: Runtime,
  call: StreamCall<T>,
): AsyncGenerator<T, void, undefined> {
  const times = timesOf(call, undefined);
  const first =
    times.whole ?? deadlineAfter(runtime.settings.statementTimeoutMs, times.signal, call.message);
  let retries: Retries | undefined;
  runtime.budget.earn();
  for (;;) {
    let begun = false;
    try {
      const lease = await acquireFor(runtime, first, retries);
      const back = once(() => giveBack(runtime, lease));
      try {
        const reader = new StreamReader(runtime, lease, call, times, { onFree: back });
        for await (const piece of reader.pieces()) {
          begun = true;
          yield piece;
        }
      } finally {
        back();
      }
      return;
    } catch (thrown) {
      const error = toDalError(runtime.driver, runtime.name, thrown, call.statement.shown);
      // What was handed out can't be taken back, so there is no second attempt.
      if (begun) throw error;
      retries ??= statementRetries(runtime, first, call.statement.shown, false);
      await retries.waitForNext(error);
    }
  }
}

/** Streams on a lent connection. */
export async function* streamOnLease<T>(
  runtime: Runtime,
  lease: Lease,
  call: StreamCall<T>,
  scope: StreamScope,
): AsyncGenerator<T, void, undefined> {
  const reader = new StreamReader(runtime, lease, call, timesOf(call, scope.deadline), scope);
  yield* reader.pieces();
}

function timesOf<T>(call: StreamCall<T>, outer: Deadline | undefined): StreamTimes {
  const { timeoutMs } = call;
  const signals = [call.signal, outer?.signal].filter((signal) => signal !== undefined);
  const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  const own =
    timeoutMs === undefined
      ? undefined
      : deadlineAfter(durationMs(timeoutMs, 'timeoutMs'), signal, call.message);
  if (outer === undefined || outer.at === Infinity) return { whole: own, signal };
  const within = { ...outer, signal, call: call.message ?? outer.call };
  const whole = own ? sooner(within, own.timeoutMs) : within;
  return { whole, signal };
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
