import type { Column, NativeResult, ValueOptions } from '@dal/core';
import type { Executed } from './execution.ts';
import { type Line, typeName } from './line.ts';
import type { Field, OkAnswer } from './protocol.ts';
import { type ValueReader, valueReader } from './mysql-types.ts';

/** What mysql2 answered, in its own words and beside them in the layer's. */
export function libraryResult(line: Line, rows: unknown, fields: unknown): NativeResult {
  return { ...nativeResult(line, rows, fields, undefined), library: [rows, fields] };
}

/**
 * What mysql2 answered, as the layer wants it. A CALL may answer with several results: the rows are
 * those of the first that has rows, the counts those of the last that has counts.
 *
 * @param options undefined: the values are what they are to be
 */
export function nativeResult(
  line: Line,
  rows: unknown,
  fields: unknown,
  options: ValueOptions | undefined,
): NativeResult {
  if (!Array.isArray(rows)) return noted(line, rows as OkAnswer, [], []);
  if (Array.isArray(fields) && isSeveral(fields)) {
    const index = fields.findIndex((some) => some !== undefined);
    const ok = (rows as unknown[]).findLast((some) => !Array.isArray(some)) as OkAnswer | undefined;
    const own = (fields[index] ?? []) as Field[];
    const read = readRows((rows[index] ?? []) as unknown[], own, options);
    return ok ? noted(line, ok, read, columnsOf(own)) : rowsResult(read, own);
  }
  return rowsResult(readRows(rows, fields as Field[], options), fields as Field[]);
}

/** What an execution of a prepared statement answered, by the same rule. */
export function executedResult({ rows, shape, ok }: Executed): NativeResult {
  const columns = shape === undefined ? NO_COLUMNS : shape.columns;
  return ok === undefined ? { rows, columns, affectedRows: 0 } : okResult(ok, rows, columns);
}

const NO_COLUMNS: readonly Column[] = [];

/** What is left to do with the values of each row, in place. */
export interface RowReaders {
  /** Columns that need it; mostly none or few. */
  readonly length: number;
  /** @throws ConfigError for a number that doesn't fit (`integers: 'number'`) */
  read(row: Record<string | number, unknown>): void;
}

export const NO_READERS: RowReaders = { length: 0, read: () => undefined };

/** Looked up once for all rows with these columns. */
export function rowReaders(
  fields: readonly Field[],
  options: ValueOptions,
  rowsAsArray: boolean,
): RowReaders {
  const keys: (string | number)[] = [];
  const readers: ValueReader[] = [];
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as Field;
    const read = valueReader(field, options);
    // Of two columns with one name the last is in the object, and must be read once.
    if (read === undefined || (!rowsAsArray && isHidden(fields, index))) continue;
    keys.push(rowsAsArray ? index : field.name);
    readers.push(read);
  }
  return {
    length: readers.length,
    read(row) {
      for (let index = 0; index < readers.length; index++) {
        const key = keys[index] as string;
        const value = row[key];
        if (value !== null) row[key] = (readers[index] as ValueReader)(value);
      }
    },
  };
}

/** Rows as mysql2 read them, with what `valueReader` says applied in place. */
function readRows(
  rows: unknown[],
  fields: readonly Field[],
  options: ValueOptions | undefined,
): unknown[] {
  if (rows.length === 0 || options === undefined) return rows;
  const readers = rowReaders(fields, options, Array.isArray(rows[0]));
  if (readers.length === 0) return rows;
  for (const row of rows as Record<string | number, unknown>[]) readers.read(row);
  return rows;
}

function isHidden(fields: readonly Field[], index: number): boolean {
  const name = fields[index]?.name;
  for (let later = index + 1; later < fields.length; later++) {
    if (fields[later]?.name === name) return true;
  }
  return false;
}

function rowsResult(rows: unknown[], fields: readonly Field[]): NativeResult {
  return { rows, columns: columnsOf(fields), affectedRows: 0 };
}

function noted(
  line: Line,
  ok: OkAnswer,
  rows: unknown[],
  columns: readonly Column[],
): NativeResult {
  line.noteStatus(ok.serverStatus);
  return okResult(ok, rows, columns);
}

function okResult(ok: OkAnswer, rows: unknown[], columns: readonly Column[]): NativeResult {
  const { affectedRows, insertId } = ok;
  if (insertId === 0) return { rows, columns, affectedRows };
  return {
    rows,
    columns,
    affectedRows,
    insertId: typeof insertId === 'string' ? BigInt(insertId) : insertId,
  };
}

/** Names and types as the layer tells them. */
export function columnsOf(fields: readonly Field[]): Column[] {
  return fields.map((field) => {
    const own = field.isDoubleText ? 'DOUBLE' : typeName(field.columnType);
    const type = field.extendedFormat ?? field.extendedTypeName ?? own;
    return type === undefined ? { name: field.name } : { name: field.name, type };
  });
}

function isSeveral(fields: readonly unknown[]): boolean {
  return fields.length > 0 && (fields[0] === undefined || Array.isArray(fields[0]));
}
