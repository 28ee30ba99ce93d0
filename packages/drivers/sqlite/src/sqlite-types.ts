import {
  type Column,
  ConfigError,
  jsonFromText,
  timestampFromText,
  timestampToText,
} from '@dal/core';
import { columnKind } from './column-kind.ts';
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

function encodeValue(value: unknown, index: number): Cell {
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

/** How rows of one form are read. */
export interface Shape {
  readonly columns: readonly Column[];
  /** From an array, as the session gives it, to what the user gets. Changes the array. */
  readonly toRow: (cells: unknown[]) => unknown;
  readonly toArray: (cells: unknown[]) => unknown[];
}

export interface ShapeOptions {
  readonly timestamps: 'date' | 'text';
  readonly json: 'parsed' | 'text';
}

type Read = (cell: unknown) => unknown;

const readTimestamp: Read = (cell) => (typeof cell === 'string' ? timestampFromText(cell) : cell);

const readJson: Read = (cell) => {
  if (typeof cell !== 'string') return cell;
  try {
    return jsonFromText(cell);
  } catch {
    // SQLite takes any text into a JSON column; a row must be readable all the same.
    return cell;
  }
};

/** @param named names and declared types in turn */
export function shapeOf(named: readonly string[], options: ShapeOptions): Shape {
  const columns: Column[] = [];
  const reads: [index: number, read: Read][] = [];
  for (let index = 0; index * 2 < named.length; index++) {
    const type = named[index * 2 + 1] ?? '';
    columns.push({ name: named[index * 2] ?? '', ...(type === '' ? {} : { type }) });
    const kind = columnKind(type);
    if (kind === 'timestamp' && options.timestamps === 'date') reads.push([index, readTimestamp]);
    if (kind === 'json' && options.json === 'parsed') reads.push([index, readJson]);
  }
  const toArray = (cells: unknown[]): unknown[] => {
    for (const [index, read] of reads) cells[index] = read(cells[index]);
    return cells;
  };
  const names = columns.map(({ name }) => name);
  const toObject = names.includes('__proto__') ? assignSafely(names) : assign(names);
  const toRow = reads.length === 0 ? toObject : (cells: unknown[]) => toObject(toArray(cells));
  return { columns, toRow, toArray };
}

function assign(names: readonly string[]): (cells: unknown[]) => unknown {
  return (cells) => {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < names.length; index++) row[names[index] as string] = cells[index];
    return row;
  };
}

/** A column named `__proto__` must not become the row's prototype. */
function assignSafely(names: readonly string[]): (cells: unknown[]) => unknown {
  return (cells) =>
    Object.fromEntries(names.map((name, index): [string, unknown] => [name, cells[index]]));
}
