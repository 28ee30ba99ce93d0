import { ConfigError, timestampToText } from '@dal/core';
import { bindCell, type Bound } from './bind-cell.ts';
import type { Cell } from './session-messages.ts';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/**
 * The values of a statement as SQLite takes them, in a new list. What it would change without a word
 * is refused: NaN becomes NULL there.
 *
 * @throws ConfigError
 */
export function encodeValues(values: readonly unknown[]): Cell[] {
  return values.map(encodeValue);
}

export function encodeValue(value: unknown, index: number): Cell {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (!Number.isNaN(value)) return value;
    throw refused(index, 'is NaN, which SQLite would store as NULL');
  }
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint') {
    if (value >= INT64_MIN && value <= INT64_MAX) return value;
    throw refused(index, 'is a bigint beyond 64 bits; give it as a text');
  }
  if (value instanceof Date) return timestampToText(value);
  if (value instanceof Uint8Array) return value;
  throw refused(index, 'has no type that SQLite knows');
}

function refused(index: number, why: string): ConfigError {
  return new ConfigError(`Value ${index + 1} of the statement ${why}. Nothing was sent.`, {
    code: 'DAL_VALUE',
    kind: 'data',
  });
}

/**
 * The same for a session of this thread, ready to be bound, in one go.
 *
 * @throws ConfigError
 */
export function bindValues(values: readonly unknown[]): Bound[] {
  const bound: Bound[] = [];
  for (let index = 0; index < values.length; index++) {
    bound.push(bindCell(encodeValue(values[index], index)));
  }
  return bound;
}

/**
 * The values of a statement as better-sqlite3 takes them by itself, in a new list; a number is REAL.
 *
 * @throws TypeError in the library's words, which would be too late to say in another process
 */
export function valuesOfLibrary(values: readonly unknown[]): Cell[] {
  return values.map((value) => {
    if (value === null || value instanceof Uint8Array) return value;
    if (typeof value === 'number' || typeof value === 'string') return value;
    if (typeof value !== 'bigint') {
      throw new TypeError('SQLite3 can only bind numbers, strings, bigints, buffers, and null');
    }
    if (value >= INT64_MIN && value <= INT64_MAX) return value;
    throw new RangeError('The bound string, buffer, or bigint is too big');
  });
}
