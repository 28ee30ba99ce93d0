import { durationMs } from './duration.ts';
import { ConfigError } from './errors.ts';
import { suggest } from './suggest.ts';

/** Checks one option and gives it its type; throws `ConfigError` that names `where`. */
export type OptionReader<T> = (value: unknown, where: string) => T;

export type ReadOptions<Readers> = {
  [Key in keyof Readers]?: Readers[Key] extends OptionReader<infer T> ? T : never;
};

/**
 * Reads options by a table of readers. An unknown one is refused by name, with the likely right one;
 * `aliases` maps names that people bring from elsewhere to the name here. `undefined` is skipped.
 *
 * @throws ConfigError
 */
export function readOptions<Readers extends Readonly<Record<string, OptionReader<unknown>>>>(
  where: string,
  input: Readonly<Record<string, unknown>>,
  readers: Readers,
  aliases: Readonly<Record<string, string>> = {},
): ReadOptions<Readers> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(input)) {
    const reader = Object.hasOwn(readers, key) ? readers[key] : undefined;
    if (reader === undefined) throw unknownOption(where, key, Object.keys(readers), aliases);
    if (value !== undefined) result[key] = reader(value, `${where}.${key}`);
  }
  return result as ReadOptions<Readers>;
}

/** Options that every database has beside its driver's; a driver's typo may mean one of them. */
export const DATABASE_OPTION_NAMES = [
  'name',
  'pool',
  'statementTimeoutMs',
  'slowQueryMs',
  'retry',
  'circuitBreaker',
  'tags',
  'tagFormat',
  'echo',
  'commitTable',
] as const;

/** The error for an option that nobody knows. */
export function unknownOption(
  where: string,
  key: string,
  known: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): ConfigError {
  const likely = Object.hasOwn(aliases, key)
    ? aliases[key]
    : (suggest(key, [...known, ...Object.keys(aliases)]) ?? suggest(key, DATABASE_OPTION_NAMES));
  const meant = likely !== undefined && Object.hasOwn(aliases, likely) ? aliases[likely] : likely;
  const advice = meant ? ` Did you mean "${meant}"?` : ` Known options: ${known.join(', ')}.`;
  return new ConfigError(`Unknown option "${key.slice(0, 64)}" in ${where}.${advice}`, {
    code: 'DAL_CONFIG_UNKNOWN_OPTION',
    kind: 'usage',
  });
}

/** The error for a value that does not fit; never shows the value, which may be a secret. */
export function wrongOption(where: string, expected: string, value: unknown): ConfigError {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  return new ConfigError(`${where} must be ${expected}, but it is ${got} that does not fit.`, {
    code: 'DAL_CONFIG_VALUE',
    kind: 'usage',
  });
}

export const text: OptionReader<string> = (value, where) => {
  if (typeof value === 'string') return value;
  throw wrongOption(where, 'a text', value);
};

/** Also takes `"true"`, `"false"`, `"1"`, `"0"`, as URLs and environments give them. */
export const flag: OptionReader<boolean> = (value, where) => {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw wrongOption(where, 'true or false', value);
};

export const duration: OptionReader<number> = (value, where) => {
  if (typeof value === 'number' || typeof value === 'string') return durationMs(value, where);
  throw wrongOption(where, 'a length of time in milliseconds, or a text such as "10s"', value);
};

export const abortSignal: OptionReader<AbortSignal> = (value, where) => {
  if (value instanceof AbortSignal) return value;
  throw wrongOption(where, 'an AbortSignal', value);
};

export const anything: OptionReader<unknown> = (value) => value;

export function integer(min: number, max: number): OptionReader<number> {
  return (value, where) => {
    const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
    if (Number.isSafeInteger(number) && (number as number) >= min && (number as number) <= max) {
      return number as number;
    }
    throw wrongOption(where, `a whole number from ${min} to ${max}`, value);
  };
}

export function oneOf<const Word extends string>(...words: readonly Word[]): OptionReader<Word> {
  return (value, where) => {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    const likely = typeof value === 'string' ? suggest(value, words) : undefined;
    const advice = likely ? ` Did you mean "${likely}"?` : '';
    throw new ConfigError(`${where} must be one of: ${words.join(', ')}.${advice}`, {
      code: 'DAL_CONFIG_VALUE',
      kind: 'usage',
    });
  };
}
