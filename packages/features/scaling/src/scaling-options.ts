import {
  ConfigError,
  durationMs,
  flag,
  integer,
  type OptionReader,
  readOptions,
  text,
  wrongOption,
} from '@dal/core';
import type { DigestsOptions } from './digest.ts';

export interface ScalingOptions {
  /** Processes like this one that share the database's server. Default: 1. */
  readonly instances?: number;
  /** Keep the last slow calls, with their stacks. Costs a look at the clock for each call. Default: true. */
  readonly slowQueries?: boolean;
  /**
   * Pools are looked at so often, and every length of time in the advice is counted in it: 60 slots are
   * the window, 720 the long one. Less makes a demonstration or a test of minutes one of seconds.
   * Milliseconds or a text. Default: 5 s.
   */
  readonly slotMs?: number | string;
}

export interface ScalingSettings {
  readonly instances: number;
  readonly slowQueries: boolean;
  readonly slotMs: number;
}

/** @throws ConfigError that names the option */
export function readScalingOptions(options: ScalingOptions): ScalingSettings {
  if (typeof options !== 'object' || options === null) {
    throw wrongOption('The argument of enableScaling()', 'an object of options', options);
  }
  const {
    instances = 1,
    slowQueries = true,
    slotMs = 5_000,
  } = readOptions('enableScaling', { ...options }, readers);
  return { instances, slowQueries, slotMs };
}

const slot: OptionReader<number> = (value, where) => {
  const ms = durationMs(value as number | string, where);
  if (ms >= 10 && ms <= 60_000) return ms;
  throw new ConfigError(`${where} must be from 10 ms to 1 min.`, {
    kind: 'usage',
    code: 'DAL_CONFIG_VALUE',
  });
};

const readers = {
  instances: integer(1, 100_000),
  slowQueries: flag,
  slotMs: slot,
} satisfies Record<keyof ScalingOptions, unknown>;

/** @throws ConfigError that names the option */
export function readDigestsOptions(options: DigestsOptions): DigestsOptions {
  return readOptions('digests', { ...options }, digestsReaders);
}

const most: OptionReader<number> = (value, where) =>
  value === Infinity ? Infinity : integer(0, 1_000_000)(value, where);

const digestsReaders = { top: most, database: text } satisfies Record<
  keyof DigestsOptions,
  unknown
>;
