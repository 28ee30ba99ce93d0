import {
  anything,
  type DATABASE_OPTION_NAMES,
  duration,
  flag,
  integer,
  oneOf,
  type OptionReader,
  type PoolSettings,
  readOptions,
  type TagFormat,
  type Tags,
  text,
  wrongOption,
} from '@dal/core';
import { type PoolOptions, readPoolOptions } from '@dal/pool';
import type { CircuitBreakerOptions } from '@dal/resilience';

export interface DatabaseOptions {
  /** The database's name in messages, logs and metrics. Default: the driver's name. */
  readonly name?: string;
  readonly pool?: PoolOptions;
  /** Longest time for one statement, waiting and retries included. Default: 30 s. */
  readonly statementTimeoutMs?: number | string;
  /** Calls of this length and more are told to hooks and channels as slow. Default: 1 s. */
  readonly slowQueryMs?: number | string;
  /** For attempts that are safe to repeat, see the README of `@dal/resilience`. */
  readonly retry?: RetryOptions;
  /**
   * Refuses calls at once while the database does not answer, instead of letting each wait for its
   * time: `true`, or the breaker's own numbers. Default: false.
   */
  readonly circuitBreaker?: boolean | CircuitBreakerOptions;
  /** Behind every statement as a comment, for the server's logs: `{ app: 'shop' }`. */
  readonly tags?: Tags;
  /** How tags are written. Default: `sqlcommenter`. */
  readonly tagFormat?: TagFormat;
  /** Every statement with its time to the console, or to a function; never its values. Default: false. */
  readonly echo?: boolean | ((line: string) => void);
  /**
   * A table in which transactions leave a mark, so that the outcome of a COMMIT whose answer was lost
   * can be looked up. Default: none; PostgreSQL can be asked without one.
   */
  readonly commitTable?: string;
}

export interface RetryOptions {
  /** Attempts after the first one. 0 switches retries off. Default: 3. */
  readonly maxRetries?: number;
  /** The longest pause before the second attempt; it doubles each time. Default: 100 ms. */
  readonly baseDelayMs?: number | string;
  /** The longest pause of all. Default: 10 s. */
  readonly maxDelayMs?: number | string;
}

export interface DatabaseSettings {
  readonly name: string | undefined;
  readonly pool: PoolSettings;
  readonly statementTimeoutMs: number;
  readonly slowQueryMs: number;
  readonly retry: {
    readonly maxRetries: number;
    readonly baseDelayMs: number;
    readonly maxDelayMs: number;
  };
  readonly circuitBreaker: CircuitBreakerOptions | undefined;
  readonly tags: Tags | undefined;
  readonly tagFormat: TagFormat;
  /** Where statements are written to. */
  readonly echo: ((line: string) => void) | undefined;
  readonly commitTable: string | undefined;
}

const tagsReader: OptionReader<Tags> = (value, where) => asRecord(value, where) as Tags;

const breakerReader: OptionReader<CircuitBreakerOptions | undefined> = (value, where) => {
  if (typeof value === 'object') return asRecord(value, where);
  return flag(value, where) ? {} : undefined;
};

const echoReader: OptionReader<((line: string) => void) | undefined> = (value, where) => {
  if (typeof value === 'function') return value as (line: string) => void;
  return flag(value, where) ? (line) => console.log(line) : undefined;
};

const readers = {
  name: text,
  pool: anything,
  statementTimeoutMs: duration,
  slowQueryMs: duration,
  retry: anything,
  circuitBreaker: breakerReader,
  tags: tagsReader,
  tagFormat: oneOf('sqlcommenter', 'plain'),
  echo: echoReader,
  commitTable: text,
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
      slowQueryMs: read.slowQueryMs ?? 1_000,
      retry: { maxRetries: 3, baseDelayMs: 100, maxDelayMs: 10_000, ...retry },
      circuitBreaker: read.circuitBreaker,
      tags: read.tags,
      tagFormat: read.tagFormat ?? 'sqlcommenter',
      echo: read.echo,
      commitTable: read.commitTable,
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
