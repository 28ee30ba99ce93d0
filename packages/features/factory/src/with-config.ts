import { AsyncLocalStorage } from 'node:async_hooks';
import { type ConfigOptions, optionsOf } from './config-options.ts';
import type { DatabaseConfig } from './database-config.ts';
import { mergeConfig } from './merge-config.ts';

// One for the process, so that two copies of this package agree.
const slot = Symbol.for('dal.config/1');
const holder = globalThis as { [slot]?: AsyncLocalStorage<ConfigOptions> };
const configs = (holder[slot] ??= new AsyncLocalStorage<ConfigOptions>());

const NONE: ConfigOptions = Object.freeze({});

/**
 * Runs a function with another configuration: `createDatabase()`, `loadConfig()` and
 * `currentConfig()` see it inside, and in whatever is started there, and nowhere else. Overrides
 * inside of overrides are merged; who names another database by `url` or `driver` drops the address
 * before it.
 *
 * @example
 * await withConfig({ database: tenant }, async () => {
 *   await using db = await createDatabase();
 * });
 */
export function withConfig<T>(overrides: ConfigOptions | DatabaseConfig, callback: () => T): T {
  const merged = mergeConfig(currentConfig(), optionsOf(overrides));
  return configs.run(Object.freeze(merged), callback);
}

/** The overrides that hold here; empty outside of `withConfig`. */
export function currentConfig(): ConfigOptions {
  return configs.getStore() ?? NONE;
}
