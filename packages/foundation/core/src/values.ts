import { ConfigError, QueryError } from './errors.ts';
import { isJson } from './json.ts';
import { oneOf, type OptionReader } from './read-options.ts';

/** How values arrive. The defaults lose nothing and are the same on every engine. */
export interface ValueOptions {
  /**
   * `safe`: number within ±(2^53-1), bigint beyond. `number`: number, and an error beyond.
   * Default: `safe`.
   */
  readonly integers?: 'safe' | 'bigint' | 'number' | 'text';
  /** DECIMAL and NUMERIC. Default: `text`, with every digit. */
  readonly decimals?: 'text' | 'number';
  /** `date`: a `Date` in UTC, cut to milliseconds. `text`: all digits. Default: `date`. */
  readonly timestamps?: 'date' | 'text';
  /** JSON as values, or as the server's text. Default: `parsed`. */
  readonly json?: 'parsed' | 'text';
}

/** Readers for `ValueOptions`, to spread into a driver's own. */
export const valueReaders: {
  readonly integers: OptionReader<'safe' | 'bigint' | 'number' | 'text'>;
  readonly decimals: OptionReader<'text' | 'number'>;
  readonly timestamps: OptionReader<'date' | 'text'>;
  readonly json: OptionReader<'parsed' | 'text'>;
} = {
  integers: oneOf('safe', 'bigint', 'number', 'text'),
  decimals: oneOf('text', 'number'),
  timestamps: oneOf('date', 'text'),
  json: oneOf('parsed', 'text'),
};

/** A number when that is exact, a bigint beyond 2^53. */
export function integerFromText(text: string): number | bigint {
  // 15 digits and a sign always fit.
  if (text.length <= 15) return Number(text);
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

export function integerReader(
  mode: ValueOptions['integers'] = 'safe',
): (text: string) => number | bigint | string {
  switch (mode) {
    case 'bigint':
      return BigInt;
    case 'text':
      return (text) => text;
    case 'number':
      return (text) => {
        const number = Number(text);
        if (Number.isSafeInteger(number)) return number;
        throw new QueryError(
          'A whole number in the result does not fit a JavaScript number. Use integers: "safe" or "bigint".',
          { kind: 'data', code: 'DAL_VALUE_RANGE' },
        );
      };
    default:
      return integerFromText;
  }
}

const timestampShape =
  /^(\d{4,6})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?( BC)?$/;

/**
 * Reads what servers write for a timestamp, as UTC when it names no zone; digits behind the
 * milliseconds are cut. A text that is no moment (`infinity`, `0000-00-00`) stays as it is.
 */
export function timestampFromText(text: string): Date | string {
  const m = timestampShape.exec(text);
  if (!m) return text;
  const year = m[13] ? 1 - Number(m[1]) : Number(m[1]);
  const [month, day] = [Number(m[2]), Number(m[3])];
  if (month < 1 || day < 1) return text;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const milliseconds = Number((m[7] ?? '').slice(0, 3).padEnd(3, '0'));
  date.setUTCHours(Number(m[4] ?? 0), Number(m[5] ?? 0), Number(m[6] ?? 0), milliseconds);
  if (m[9] === undefined) return date;
  const offset = Number(m[10]) * 3_600 + Number(m[11] ?? 0) * 60 + Number(m[12] ?? 0);
  return new Date(date.getTime() - (m[9] === '-' ? -offset : offset) * 1_000);
}

/** `YYYY-MM-DD HH:MM:SS.mmm` in UTC. */
export function timestampToText(date: Date): string {
  return date.toISOString().replace('T', ' ').replace('Z', '');
}

export function jsonFromText(text: string): unknown {
  return JSON.parse(text);
}

/**
 * Checks the values of a statement before anything is sent, and turns `json(x)` into its text.
 * Returns the same list when nothing had to change.
 *
 * @throws ConfigError that names the place of the value, never the value
 */
export function checkValues(values: readonly unknown[], arrays: boolean): readonly unknown[] {
  let changed: unknown[] | undefined;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === null || typeof value === 'string' || typeof value === 'number') continue;
    if (typeof value === 'boolean' || typeof value === 'bigint') continue;
    if (isJson(value)) {
      changed ??= [...values];
      changed[index] = value.text;
    } else {
      checkObject(value, index, arrays);
    }
  }
  return changed ?? values;
}

function checkObject(value: unknown, index: number, arrays: boolean): void {
  if (value instanceof Uint8Array) return;
  if (value instanceof Date) {
    if (!Number.isNaN(value.getTime())) return;
    throw refused(index, 'is an invalid Date');
  }
  if (value === undefined) throw refused(index, 'is undefined; use null for SQL NULL');
  if (Array.isArray(value)) {
    if (!arrays) throw refused(index, 'is a list; use sql`... IN (${list})` or json(list)');
    for (const item of value as unknown[]) {
      if (item !== null && typeof item === 'object') checkObject(item, index, true);
      else if (item === undefined || typeof item === 'function' || typeof item === 'symbol') {
        throw refused(index, `holds ${typeof item}`);
      }
    }
    return;
  }
  if (typeof value === 'object') throw refused(index, 'is an object; wrap it in json(...)');
  throw refused(index, `is a ${typeof value}`);
}

function refused(index: number, why: string): ConfigError {
  return new ConfigError(`Value ${index + 1} of the statement ${why}. Nothing was sent.`, {
    code: 'DAL_VALUE',
    kind: 'usage',
  });
}
