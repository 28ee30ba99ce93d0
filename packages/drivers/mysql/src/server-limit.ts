import { ConfigError } from '@dal/core';
import type { Flavor } from './flavor.ts';

/** The longest that each server takes. */
const MOST_MS: Readonly<Record<Flavor, number>> = {
  mysql: 4_294_967_295,
  mariadb: 31_536_000_000,
};

/**
 * Sets the server's own limit on the time of each later statement; 0 takes it away again.
 *
 * @throws ConfigError for what is no length of time
 */
export function limitText(flavor: Flavor, timeoutMs: number): string {
  if (!(timeoutMs >= 0)) {
    throw new ConfigError('A limit is a number of milliseconds, or 0 for none.', {
      code: 'DAL_CONFIG_VALUE',
      kind: 'usage',
    });
  }
  // Rounded up, since 0 would mean none; what is longer than the longest is no limit.
  const whole = Math.ceil(timeoutMs);
  const ms = whole > MOST_MS[flavor] ? 0 : whole;
  const [name, value] =
    flavor === 'mariadb'
      ? ['max_statement_time', (ms / 1_000).toFixed(3)]
      : ['max_execution_time', String(ms)];
  if (ms === 0) return `SET SESSION ${name} = DEFAULT`;
  // A lower limit of the administrator's stays.
  const lower = `IF(@@GLOBAL.${name} > 0 AND @@GLOBAL.${name} < ${value}, @@GLOBAL.${name}, ${value})`;
  // MySQL takes a DECIMAL for no integer, which is what its IF makes of two of them.
  return `SET SESSION ${name} = ${flavor === 'mysql' ? `CAST(${lower} AS UNSIGNED)` : lower}`;
}
