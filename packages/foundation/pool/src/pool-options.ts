import {
  duration,
  flag,
  integer,
  oneOf,
  type OptionReader,
  type PoolProfile,
  type PoolSettings,
  readOptions,
  wrongOption,
} from '@dal/core';
import { profiles } from './pool-profiles.ts';
import { suggestPoolSize } from './suggest-pool-size.ts';

export interface PoolOptions {
  /** What the program is like; changes the defaults below. Default: none. */
  readonly profile?: PoolProfile;
  /** Connections that are kept open, once the pool is used, even when nobody needs them. Default: 0. */
  readonly min?: number;
  /**
   * Connections that are kept at the most. `auto`: what `suggestPoolSize` says of this machine's CPUs and
   * memory (the server is taken to be like it), and `min` at least. Either way the pool keeps to the
   * server's own limit, once that is known. Default: 10.
   */
  readonly max?: number | 'auto';
  /** Connections beyond `max` in a rush; each is closed when nobody waits for it. Default: 0. */
  readonly overflow?: number;
  /** How long `acquire` waits. Default: 10 s. */
  readonly acquireTimeoutMs?: number | string;
  /** An unused connection is closed after this time. Default: 5 min. */
  readonly idleTimeoutMs?: number | string;
  /** A connection is replaced after this time, less up to 10 % so that not all go at once. Default: 30 min. */
  readonly maxLifetimeMs?: number | string;
  /**
   * Which connections are asked for a sign of life before they are lent: all that rested, none, or
   * those that rested for longer. Default: `{ afterIdleMs: 1_000 }`.
   */
  readonly validate?: 'always' | 'never' | { readonly afterIdleMs: number | string };
  /** A resting connection is asked for a sign of life this often; 0: never. Default: 30 s. */
  readonly healthCheckIntervalMs?: number | string;
  /** Callers that may wait at the same time; the next one is refused at once. Default: 1,000. */
  readonly maxWaiting?: number;
  /** A loan that lasts longer, without a statement, is reported as leaked. Default: 5 min. */
  readonly leakThresholdMs?: number | string;
  /**
   * Whether loans remember where they were taken: every one, the first one of each millisecond, or
   * none. Default: `sampled`.
   */
  readonly acquireStacks?: 'always' | 'sampled' | 'never';
  /**
   * While the server is down, callers get the error of the next attempt to connect, instead of waiting
   * for the server's return within their deadline. Default: false, or true with a circuit breaker.
   */
  readonly failFast?: boolean;
  /**
   * Grows and shrinks between `min` and `max` by how many of the connections are lent: `true` for
   * 0.8 and 0.3, or numbers of your own. Default: false.
   */
  readonly autoScale?: boolean | { readonly up?: number; readonly down?: number };
}

const defaults: PoolSettings = {
  profile: undefined,
  min: 0,
  max: 10,
  overflow: 0,
  acquireTimeoutMs: 10_000,
  idleTimeoutMs: 300_000,
  maxLifetimeMs: 1_800_000,
  validate: { afterIdleMs: 1_000 },
  healthCheckIntervalMs: 30_000,
  maxWaiting: 1_000,
  leakThresholdMs: 300_000,
  acquireStacks: 'sampled',
  failFast: false,
  autoScale: undefined,
};

/** The names that other pools have for these options; they are refused with the name here. */
const strangers: Readonly<Record<string, string>> = {
  size: 'max',
  poolSize: 'max',
  pool_size: 'max',
  connectionLimit: 'max',
  maxSize: 'max',
  max_size: 'max',
  max_connections: 'max',
  minSize: 'min',
  min_size: 'min',
  min_connections: 'min',
  max_overflow: 'overflow',
  maxOverflow: 'overflow',
  timeout: 'acquireTimeoutMs',
  pool_timeout: 'acquireTimeoutMs',
  acquire_timeout: 'acquireTimeoutMs',
  acquireTimeout: 'acquireTimeoutMs',
  acquireTimeoutMillis: 'acquireTimeoutMs',
  connectionTimeoutMillis: 'acquireTimeoutMs',
  pool_recycle: 'maxLifetimeMs',
  max_lifetime: 'maxLifetimeMs',
  maxLifetimeSeconds: 'maxLifetimeMs',
  idleTimeoutMillis: 'idleTimeoutMs',
  idle_timeout: 'idleTimeoutMs',
  idleTimeout: 'idleTimeoutMs',
  pool_pre_ping: 'validate',
  pre_ping: 'validate',
  prePing: 'validate',
  test_on_borrow: 'validate',
  testOnBorrow: 'validate',
  validateAfterIdleMs: 'validate',
  health_check_interval: 'healthCheckIntervalMs',
  queueLimit: 'maxWaiting',
  maxWaitingClients: 'maxWaiting',
  leak_timeout: 'leakThresholdMs',
  leak_detection: 'leakThresholdMs',
  leakDetectionThreshold: 'leakThresholdMs',
  track_stack_trace: 'acquireStacks',
  auto_scale: 'autoScale',
  scale_up_threshold: 'autoScale',
  scale_down_threshold: 'autoScale',
};

const validateReader: OptionReader<PoolSettings['validate']> = (value, where) => {
  if (value === 'always') return { afterIdleMs: 0 };
  if (value === 'never') return { afterIdleMs: Infinity };
  if (isRecord(value))
    return { ...defaults.validate, ...readOptions(where, value, { afterIdleMs: duration }) };
  throw wrongOption(where, '"always", "never" or { afterIdleMs }', value);
};

const durationOrNever: OptionReader<number> = (value, where) => duration(value, where) || Infinity;

const share: OptionReader<number> = (value, where) => {
  if (typeof value === 'number' && value > 0 && value <= 1) return value;
  throw wrongOption(where, 'a share above 0 and up to 1', value);
};

const autoScaleReader: OptionReader<PoolSettings['autoScale']> = (value, where) => {
  if (!isRecord(value)) return flag(value, where) ? { up: 0.8, down: 0.3 } : undefined;
  const read = { up: 0.8, down: 0.3, ...readOptions(where, value, { up: share, down: share }) };
  if (read.down < read.up) return read;
  throw wrongOption(`${where}.down`, 'below "up"', read.down);
};

const mostReader: OptionReader<number> = (value, where) => {
  if (value === 'auto') return suggestPoolSize().max;
  if (typeof value === 'string') throw wrongOption(where, 'a whole number or "auto"', value);
  return integer(1, 10_000)(value, where);
};

/** @throws ConfigError that names the wrong option */
export function readPoolOptions(input: Readonly<Record<string, unknown>>): PoolSettings {
  const given = readOptions(
    'pool',
    input,
    {
      profile: oneOf('web', 'worker', 'pipeline', 'serverless'),
      min: integer(0, 10_000),
      max: mostReader,
      overflow: integer(0, 10_000),
      acquireTimeoutMs: duration,
      idleTimeoutMs: duration,
      maxLifetimeMs: duration,
      validate: validateReader,
      healthCheckIntervalMs: durationOrNever,
      maxWaiting: integer(0, 1_000_000),
      leakThresholdMs: duration,
      acquireStacks: oneOf('always', 'sampled', 'never'),
      failFast: flag,
      autoScale: autoScaleReader,
    },
    strangers,
  );
  const start = { ...defaults, ...(given.profile && profiles[given.profile]) };
  // A profile's own `min` gives way to a smaller `max` of the user's.
  const settings = {
    ...start,
    min: Math.min(start.min, given.max ?? start.max),
    ...given,
    // Of a small machine nobody knows when the options are written.
    ...(input['max'] === 'auto' && { max: Math.max(given.max ?? 1, given.min ?? 0) }),
  };
  if (settings.min > settings.max) integer(0, settings.max)(settings.min, 'pool.min');
  return settings;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
