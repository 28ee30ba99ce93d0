import { ConfigError } from './errors.ts';

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  sec: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The longest delay that a Node timer takes; anything longer would fire at once. */
export const MAX_DURATION_MS = 2_147_483_647;

/**
 * Reads a length of time: milliseconds, or a text such as `"500ms"`, `"10s"`, `"2 min"`, `"1.5h"`.
 *
 * @throws ConfigError that names `where`
 */
export function durationMs(value: number | string, where: string): number {
  const ms = typeof value === 'string' ? parse(value) : value;
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0 || ms > MAX_DURATION_MS) {
    throw new ConfigError(
      `${where} must be a length of time: milliseconds from 0 to ${MAX_DURATION_MS}, or a text such as "10s" or "2min".`,
      { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
    );
  }
  return ms;
}

function parse(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const unit = units[match?.[2]?.toLowerCase() || 'ms'];
  return match && unit !== undefined ? Number(match[1]) * unit : Number.NaN;
}
