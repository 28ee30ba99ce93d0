import { ConfigError, duration, readOptions, wrongOption, anything } from '@dal/core';
import { type ConfigOptions, optionsOf } from './config-options.ts';
import type { DatabaseConfig } from './database-config.ts';

export interface ManagerOptions {
  /** By name: a URL, or options as for `createDatabase`. */
  readonly databases?: Readonly<Record<string, string | ConfigOptions | DatabaseConfig>>;
  /** How long `setup` waits for a database. Default: 10 s. */
  readonly setupTimeoutMs?: number | string;
  /** How long `health` waits for an answer. Default: 5 s. */
  readonly healthTimeoutMs?: number | string;
  /** The first pause before a database that could not be reached is tried again. Default: 500 ms. */
  readonly retryBaseDelayMs?: number | string;
  /** The longest one. Default: 30 s. */
  readonly retryMaxDelayMs?: number | string;
}

export interface ManagerSettings {
  readonly databases: ReadonlyMap<string, ConfigOptions>;
  readonly setupTimeoutMs: number;
  readonly healthTimeoutMs: number;
  readonly retryBaseDelayMs: number;
  readonly retryMaxDelayMs: number;
}

/** @throws ConfigError that names the option */
export function readManagerOptions(options: ManagerOptions): ManagerSettings {
  const { databases, ...read } = readOptions('manager', { ...options }, readers, strangers);
  if (typeof databases !== 'object' || databases === null || Array.isArray(databases)) {
    if (databases !== undefined) throw wrongOption('manager.databases', 'an object', databases);
  }
  const entries = Object.entries((databases ?? {}) as Record<string, unknown>);
  return {
    setupTimeoutMs: 10_000,
    healthTimeoutMs: 5_000,
    retryBaseDelayMs: 500,
    retryMaxDelayMs: 30_000,
    ...read,
    databases: new Map(entries.map(([name, config]) => [name, readEntry(name, config)])),
  };
}

function readEntry(name: string, config: unknown): ConfigOptions {
  if (name.trim() === '') {
    throw new ConfigError('A database of a manager needs a name.', {
      kind: 'usage',
      code: 'DAL_CONFIG_VALUE',
    });
  }
  if (typeof config === 'string') return { url: config };
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) {
    return optionsOf(config);
  }
  throw wrongOption(`manager.databases.${name.slice(0, 64)}`, 'a URL or an object', config);
}

const readers = {
  databases: anything,
  setupTimeoutMs: duration,
  healthTimeoutMs: duration,
  retryBaseDelayMs: duration,
  retryMaxDelayMs: duration,
};

const strangers: Readonly<Record<string, string>> = { dbs: 'databases', pools: 'databases' };
