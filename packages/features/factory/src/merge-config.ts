import { schemeOf } from '@dal/core';
import { engineOf } from './config-words.ts';
import type { ConfigOptions } from './config-options.ts';

/** What says where a database is, and who we are there. */
const ADDRESS: ReadonlySet<string> = new Set([
  'url',
  'driver',
  'host',
  'hosts',
  'port',
  'socketPath',
  'path',
  'user',
  'password',
  'database',
]);

/**
 * One configuration over another. Where the upper one names another database, by its URL or its
 * driver, the whole address of the lower one is dropped: its password must not go to another host.
 * `pool` is merged option by option.
 */
export function mergeConfig(lower: ConfigOptions, upper: ConfigOptions): ConfigOptions {
  const given = Object.entries(upper).filter(([, value]) => value !== undefined);
  const kept = namesAnother(lower, upper)
    ? Object.entries(lower).filter(([key]) => !ADDRESS.has(key))
    : Object.entries(lower);
  const merged: ConfigOptions = Object.fromEntries([...kept, ...given]);
  if (lower.pool === undefined || upper.pool === undefined) return merged;
  return { ...merged, pool: { ...lower.pool, ...upper.pool } };
}

function namesAnother(lower: ConfigOptions, upper: ConfigOptions): boolean {
  if (upper.url !== undefined) return true;
  const named = driverOf(lower);
  return upper.driver !== undefined && named !== undefined && named !== driverOf(upper);
}

/** The driver, by one word for all of its schemes. */
function driverOf({ driver, url }: ConfigOptions): unknown {
  const word = driver ?? (url === undefined ? undefined : schemeOf(url));
  if (typeof word !== 'string') return word;
  const engine = engineOf(word);
  return engine === 'mariadb' ? 'mysql' : engine;
}
