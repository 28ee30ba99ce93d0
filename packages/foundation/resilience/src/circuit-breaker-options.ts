import {
  ConfigError,
  duration,
  integer,
  type OptionReader,
  readOptions,
  wrongOption,
} from '@dal/core';
import { type ErrorFilter, errorFilter } from './error-filter.ts';

export interface CircuitBreakerOptions {
  /** So many failures within the window open the breaker; 1 to 10,000. Default: 5. */
  readonly failureThreshold?: number;
  /** How long it stays open before it lets calls through on trial. Default: 30 s. */
  readonly recoveryTimeoutMs?: number | string;
  /** So many calls are let through on trial; when all work, it closes; 1 to 1,000. Default: 3. */
  readonly halfOpenMaxCalls?: number;
  /** Failures that are older don't count. Default: 60 s. */
  readonly windowMs?: number | string;
  /** Errors that count. Default: the line broke, the server is not available, a timeout. */
  readonly failOn?: ErrorFilter;
  /** Milliseconds on a clock that never goes back. Default: `performance.now`. */
  readonly now?: () => number;
}

export interface CircuitBreakerSettings {
  readonly failureThreshold: number;
  readonly recoveryTimeoutMs: number;
  readonly halfOpenMaxCalls: number;
  readonly windowMs: number;
  readonly failOn: ((error: unknown) => boolean) | undefined;
  readonly now: () => number;
}

/** @throws ConfigError */
export function readCircuitBreakerOptions(options: CircuitBreakerOptions): CircuitBreakerSettings {
  const read = readOptions('circuitBreaker', { ...options }, readers, aliases);
  return {
    failureThreshold: 5,
    recoveryTimeoutMs: 30_000,
    halfOpenMaxCalls: 3,
    windowMs: 60_000,
    failOn: undefined,
    now: () => performance.now(),
    ...read,
  };
}

/**
 * Refuses options that say something else than those a breaker was made with. Functions can't be
 * compared, an inline one is new each time: those that were given first stay.
 *
 * @throws ConfigError
 */
export function refuseOtherOptions(
  name: string,
  settings: CircuitBreakerSettings,
  options: CircuitBreakerOptions,
): void {
  const read = readOptions('circuitBreaker', { ...options }, readers, aliases);
  for (const key of comparable) {
    const wanted = read[key];
    if (wanted !== undefined && wanted !== settings[key]) {
      throw new ConfigError(
        `The circuit breaker "${name}" exists with ${key} ${settings[key]}; it can't have ${wanted} too. Give its options in one place, or use another name.`,
        { kind: 'usage', code: 'DAL_CIRCUIT_OPTIONS' },
      );
    }
  }
}

const comparable = [
  'failureThreshold',
  'recoveryTimeoutMs',
  'halfOpenMaxCalls',
  'windowMs',
] as const;

/** A length of 0 would never be open, or never count anything. */
const length: OptionReader<number> = (value, where) => {
  const ms = duration(value, where);
  if (ms > 0) return ms;
  throw wrongOption(where, 'a length of time above 0', value);
};

const clock: OptionReader<() => number> = (value, where) => {
  if (typeof value === 'function') return value as () => number;
  throw wrongOption(where, 'a function that answers milliseconds', value);
};

const readers = {
  failureThreshold: integer(1, 10_000),
  recoveryTimeoutMs: length,
  halfOpenMaxCalls: integer(1, 1_000),
  windowMs: length,
  failOn: errorFilter,
  now: clock,
};

const aliases = {
  threshold: 'failureThreshold',
  resetTimeoutMs: 'recoveryTimeoutMs',
  recoveryTimeout: 'recoveryTimeoutMs',
  windowSize: 'windowMs',
  exceptions: 'failOn',
} as const;
