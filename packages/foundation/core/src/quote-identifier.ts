import type { Dialect } from './dialect.ts';
import { ConfigError } from './errors.ts';

/**
 * The name in the engine's own quotes, whatever it holds: `quoteIdentifier('a"b', postgres)` is
 * `"a""b"`. Quoted names keep their capitals.
 *
 * @throws ConfigError for an empty name, one with NUL, or one of more than 255 characters
 */
export function quoteIdentifier(name: string, dialect: Pick<Dialect, 'quote'>): string {
  checkIdentifier(name);
  const [open, close] = dialect.quote;
  return open + name.replaceAll(close, close + close) + close;
}

/** Refuses what no engine takes as a name. */
export function checkIdentifier(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw refusal(`must be a string, not ${typeof name}`);
  if (name === '') throw refusal('is empty');
  if (name.length > MAX_LENGTH) {
    throw refusal(`has ${name.length} characters, and ${MAX_LENGTH} are the most`);
  }
  if (name.includes('\0')) throw refusal('holds a NUL character');
}

const MAX_LENGTH = 255;

function refusal(what: string): ConfigError {
  return new ConfigError(`An identifier ${what}.`, { kind: 'usage', code: 'DAL_IDENTIFIER' });
}
