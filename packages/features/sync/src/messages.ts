import type {
  AcquireOptions,
  BulkInsertOptions,
  StatementOptions,
  StreamOptions,
  TransactionOptions,
} from '@dal/core';
import type { MessagePort } from 'node:worker_threads';
import type { CarriedError } from './carried-error.ts';

/** What a worker is started with. */
export interface WorkerStart {
  readonly port: MessagePort;
  /** Shared with the thread that waits; see `WORD`. */
  readonly words: SharedArrayBuffer;
}

/** Places in the shared words. */
export const WORD = {
  /** Counts answers; the waiting thread sleeps on it. */
  ANSWERS: 0,
  /** Counts pulses that the worker's event loop has seen. */
  PULSES: 1,
  /** 1 when the worker is about to end. */
  ENDED: 2,
} as const;

/** Sent now and then while the thread waits, to see whether there is still somebody. */
export const PULSE = 'pulse';

export type StatementVerb = 'query' | 'queryOne' | 'queryExactlyOne' | 'queryValue' | 'execute';
export type PlainVerb =
  | 'connect'
  | 'ping'
  | 'isHealthy'
  | 'version'
  | 'inTransaction'
  | 'begin'
  | 'commit'
  | 'rollback';

/** Where in the worker something runs: a database, a lent connection, a transaction. */
export type Place = number;

/**
 * One at a time, and each gets exactly one answer. `endsAt` is the moment of the call's own timeout
 * on the clock that all threads of a process share; its options come without `timeoutMs` and `signal`.
 */
export type Request =
  | {
      readonly op: 'open';
      readonly module: string;
      /** The layer's options. */
      readonly config: Readonly<Record<string, unknown>>;
      /** The driver's, as it read them: it may have looked at the environment or the working folder. */
      readonly driverOptions: unknown;
    }
  | { readonly op: 'close'; readonly on: Place }
  | {
      readonly op: 'statement';
      readonly on: Place;
      readonly verb: StatementVerb;
      readonly text: string;
      readonly values: unknown;
      readonly options: StatementOptions;
      readonly endsAt: number | undefined;
    }
  | {
      readonly op: 'executeMany';
      readonly on: Place;
      readonly text: string;
      readonly options: StatementOptions;
      readonly endsAt: number | undefined;
    }
  | {
      readonly op: 'plain';
      readonly on: Place;
      readonly verb: PlainVerb;
      readonly options: object;
      readonly endsAt: number | undefined;
    }
  | {
      readonly op: 'enter';
      readonly on: Place;
      readonly how: 'transaction' | 'connection';
      readonly options: TransactionOptions & AcquireOptions;
      readonly endsAt: number | undefined;
    }
  | {
      readonly op: 'leave';
      readonly scope: Place;
      readonly on: Place;
      readonly failure: CarriedError | undefined;
    }
  | {
      readonly op: 'bulkInsert';
      readonly on: Place;
      readonly table: string | readonly [string, string];
      readonly options: BulkInsertOptions;
      readonly endsAt: number | undefined;
    }
  | {
      readonly op: 'feed';
      readonly scope: Place;
      /** Undefined: there are no more. */
      readonly rows: readonly unknown[] | undefined;
      readonly failure: CarriedError | undefined;
    }
  | {
      readonly op: 'stream';
      readonly on: Place;
      readonly text: string;
      readonly values: unknown;
      readonly options: StreamOptions;
      readonly endsAt: number | undefined;
    }
  | { readonly op: 'next'; readonly stream: Place }
  | { readonly op: 'stop'; readonly stream: Place };

export type Answer =
  | {
      readonly kind: 'value';
      readonly value: unknown;
      /** There are Buffers in it, which travel as plain bytes. */
      readonly bytes: boolean;
    }
  /** `own`: it is the failure that came with `leave` or `feed`. */
  | { readonly kind: 'error'; readonly error: CarriedError; readonly own: boolean }
  /** The worker ends because of an error that nobody caught. */
  | { readonly kind: 'died'; readonly error: CarriedError }
  /** Now it is the callback's turn; `leave` is the answer. */
  | { readonly kind: 'run'; readonly scope: Place; readonly on: Place }
  /** Rows are wanted; `feed` is the answer. */
  | { readonly kind: 'rows'; readonly scope: Place };

/** Milliseconds on a clock that all threads of a process share; `performance.now()` is each one's own. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
