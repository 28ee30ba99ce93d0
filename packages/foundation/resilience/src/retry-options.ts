import {
  abortSignal,
  duration,
  flag,
  integer,
  type OptionReader,
  readOptions,
  wrongOption,
} from '@dal/core';
import { type ErrorFilter, errorFilter } from './error-filter.ts';
import { faultOf } from './fault-of.ts';
import { RetryBudget } from './retry-budget.ts';
import { retryVerdict } from './retry-verdict.ts';

export interface RetryOptions {
  /** Attempts after the first one; 0 to 100. Default: 3. */
  readonly maxRetries?: number;
  /** The first wait is at most this long, each further one at most twice the last. Default: 100 ms. */
  readonly baseDelayMs?: number | string;
  /** No wait is longer. Default: 10 s. */
  readonly maxDelayMs?: number | string;
  /**
   * From the first call on; no attempt begins later, and waits are made to fit. An attempt that runs
   * is not ended: give what it calls a deadline of its own. Default: 30 s.
   */
  readonly totalTimeoutMs?: number | string;
  /** Errors after which the function runs again. Default: those that surely had no effect. */
  readonly retryOn?: ErrorFilter;
  /**
   * Running the function twice does no harm: by default errors with an unknown outcome are then
   * retried too. Default: false.
   */
  readonly idempotent?: boolean;
  /** Ends the waits between attempts. Give the same one to what the function calls. */
  readonly signal?: AbortSignal;
  /** Shared by many functions, it keeps their retries a small part of the load. Default: none. */
  readonly budget?: RetryBudget;
  /** Is told before each wait. */
  readonly onRetry?: (event: RetryEvent) => void;
}

export interface RetryEvent {
  /** The function's name. */
  readonly name: string;
  /** How often it was tried so far. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: unknown;
}

export interface RetrySettings {
  readonly maxRetries: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  readonly totalTimeoutMs: number;
  readonly retryOn: (error: unknown) => boolean;
  readonly signal: AbortSignal | undefined;
  readonly budget: RetryBudget | undefined;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
}

/** @throws ConfigError */
export function readRetryOptions(options: RetryOptions = {}): RetrySettings {
  const read = readOptions('retry', { ...options }, readers, aliases);
  const facts = { autocommit: true, idempotent: read.idempotent ?? false };
  return {
    maxRetries: read.maxRetries ?? 3,
    baseDelayMs: read.baseDelayMs ?? 100,
    maxDelayMs: read.maxDelayMs ?? 10_000,
    totalTimeoutMs: read.totalTimeoutMs ?? 30_000,
    retryOn:
      read.retryOn ??
      ((error) => {
        const fault = faultOf(error);
        return fault !== undefined && retryVerdict(fault, facts);
      }),
    signal: read.signal,
    budget: read.budget,
    onRetry: read.onRetry,
  };
}

const budget: OptionReader<RetryBudget> = (value, where) => {
  if (value instanceof RetryBudget) return value;
  throw wrongOption(where, 'a RetryBudget', value);
};

const listener: OptionReader<(event: RetryEvent) => void> = (value, where) => {
  if (typeof value === 'function') return value as (event: RetryEvent) => void;
  throw wrongOption(where, 'a function', value);
};

const readers = {
  maxRetries: integer(0, 100),
  baseDelayMs: duration,
  maxDelayMs: duration,
  totalTimeoutMs: duration,
  retryOn: errorFilter,
  idempotent: flag,
  signal: abortSignal,
  budget,
  onRetry: listener,
};

const aliases = {
  attempts: 'maxRetries',
  retries: 'maxRetries',
  exceptions: 'retryOn',
  retryIf: 'retryOn',
  delayMs: 'baseDelayMs',
  timeoutMs: 'totalTimeoutMs',
} as const;
