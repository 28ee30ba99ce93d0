import { duration, integer, oneOf, readOptions } from '@dal/core';

export interface PoolOptions {
  /** Connections kept open even when nobody uses them. Default: 0. */
  readonly min?: number;
  /** Connections at the most; the hard wall. Default: 10. */
  readonly max?: number;
  /** How long `acquire` waits. Default: 10 s. */
  readonly acquireTimeoutMs?: number | string;
  /** An unused connection is closed after this time. Default: 5 min. */
  readonly idleTimeoutMs?: number | string;
  /** A connection is replaced after this time, less up to 10 % so that not all go at once. Default: 30 min. */
  readonly maxLifetimeMs?: number | string;
  /** A connection that was idle for longer is asked for a sign of life before it is lent. Default: 1 s. */
  readonly validateAfterIdleMs?: number | string;
  /** Callers that may wait at the same time; the next one is refused at once. Default: 1,000. */
  readonly maxWaiting?: number;
  /** A loan that lasts longer, without a statement, is reported by `leaks()`. Default: 5 min. */
  readonly leakThresholdMs?: number | string;
  /** Whether loans remember where they were taken: every one, one in 32, or none. Default: `sampled`. */
  readonly acquireStacks?: 'always' | 'sampled' | 'never';
}

export interface PoolSettings {
  readonly min: number;
  readonly max: number;
  readonly acquireTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
  readonly validateAfterIdleMs: number;
  readonly maxWaiting: number;
  readonly leakThresholdMs: number;
  readonly acquireStacks: 'always' | 'sampled' | 'never';
}

const defaults: PoolSettings = {
  min: 0,
  max: 10,
  acquireTimeoutMs: 10_000,
  idleTimeoutMs: 300_000,
  maxLifetimeMs: 1_800_000,
  validateAfterIdleMs: 1_000,
  maxWaiting: 1_000,
  leakThresholdMs: 300_000,
  acquireStacks: 'sampled',
};

/** The names that other pools have for these options; they are refused with the name here. */
const strangers: Readonly<Record<string, string>> = {
  poolSize: 'max',
  pool_size: 'max',
  connectionLimit: 'max',
  maxSize: 'max',
  max_size: 'max',
  minSize: 'min',
  min_size: 'min',
  pool_timeout: 'acquireTimeoutMs',
  acquire_timeout: 'acquireTimeoutMs',
  connectionTimeoutMillis: 'acquireTimeoutMs',
  pool_recycle: 'maxLifetimeMs',
  max_lifetime: 'maxLifetimeMs',
  idleTimeoutMillis: 'idleTimeoutMs',
  idle_timeout: 'idleTimeoutMs',
  pool_pre_ping: 'validateAfterIdleMs',
  queueLimit: 'maxWaiting',
  leak_timeout: 'leakThresholdMs',
};

/** @throws ConfigError that names the wrong option */
export function readPoolOptions(input: Readonly<Record<string, unknown>>): PoolSettings {
  const settings: PoolSettings = {
    ...defaults,
    ...readOptions(
      'pool',
      input,
      {
        min: integer(0, 10_000),
        max: integer(1, 10_000),
        acquireTimeoutMs: duration,
        idleTimeoutMs: duration,
        maxLifetimeMs: duration,
        validateAfterIdleMs: duration,
        maxWaiting: integer(0, 1_000_000),
        leakThresholdMs: duration,
        acquireStacks: oneOf('always', 'sampled', 'never'),
      },
      strangers,
    ),
  };
  if (settings.min > settings.max) integer(0, settings.max)(settings.min, 'pool.min');
  return settings;
}
