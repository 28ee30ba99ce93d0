import {
  anything,
  type DATABASE_OPTION_NAMES,
  duration,
  integer,
  readOptions,
  text,
  wrongOption,
} from '@dal/core';
import { type PoolOptions, type PoolSettings, readPoolOptions } from '@dal/pool';

export interface DatabaseOptions {
  /** The database's name in messages, logs and metrics. Default: the driver's name. */
  readonly name?: string;
  readonly pool?: PoolOptions;
  /** Longest time for one statement, waiting and retries included. Default: 30 s. */
  readonly statementTimeoutMs?: number | string;
  /** For attempts that are safe to repeat, see the README of `@dal/resilience`. */
  readonly retry?: RetryOptions;
}

export interface RetryOptions {
  /** Attempts after the first one. 0 switches retries off. Default: 3. */
  readonly maxRetries?: number;
  /** Default: 100 ms. */
  readonly baseDelayMs?: number | string;
  /** Default: 10 s. */
  readonly maxDelayMs?: number | string;
}

export interface DatabaseSettings {
  readonly name: string | undefined;
  readonly pool: PoolSettings;
  readonly statementTimeoutMs: number;
  readonly retry: {
    readonly maxRetries: number;
    readonly baseDelayMs: number;
    readonly maxDelayMs: number;
  };
}

const readers = {
  name: text,
  pool: anything,
  statementTimeoutMs: duration,
  retry: anything,
} satisfies Record<(typeof DATABASE_OPTION_NAMES)[number], unknown>;

/**
 * Splits what the user gave into the layer's settings and the rest, which is the driver's.
 *
 * @throws ConfigError
 */
export function splitOptions(input: Readonly<Record<string, unknown>>): {
  settings: DatabaseSettings;
  rest: Record<string, unknown>;
} {
  const own: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(input)) {
    (Object.hasOwn(readers, key) ? own : rest)[key] = value;
  }
  const read = readOptions('options', own, readers);
  const retry = readOptions('retry', asRecord(read.retry, 'retry'), {
    maxRetries: integer(0, 100),
    baseDelayMs: duration,
    maxDelayMs: duration,
  });
  return {
    rest,
    settings: {
      name: read.name,
      pool: readPoolOptions(asRecord(read.pool, 'pool')),
      statementTimeoutMs: read.statementTimeoutMs ?? 30_000,
      retry: { maxRetries: 3, baseDelayMs: 100, maxDelayMs: 10_000, ...retry },
    },
  };
}

function asRecord(value: unknown, where: string): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw wrongOption(where, 'an object', value);
}
