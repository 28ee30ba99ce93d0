import type { Column, NativeResult, ValueOptions } from '@dal/core';
import { type Field, type Line, type OkAnswer, typeName } from './line.ts';
import { type ValueReader, valueReader } from './mysql-types.ts';

/**
 * What mysql2 answered, as the layer wants it. A CALL may answer with several results: the rows are
 * those of the first that has rows, the counts those of the last that has counts.
 */
export function nativeResult(
  line: Line,
  rows: unknown,
  fields: unknown,
  options: ValueOptions,
): NativeResult {
  if (!Array.isArray(rows)) return okResult(line, rows as OkAnswer, [], []);
  if (Array.isArray(fields) && isSeveral(fields)) {
    const index = fields.findIndex((some) => some !== undefined);
    const ok = (rows as unknown[]).findLast((some) => !Array.isArray(some)) as OkAnswer | undefined;
    const own = (fields[index] ?? []) as Field[];
    const read = readRows((rows[index] ?? []) as unknown[], own, options);
    return ok ? okResult(line, ok, read, columnsOf(own)) : rowsResult(read, own);
  }
  return rowsResult(readRows(rows, fields as Field[], options), fields as Field[]);
}

/** Applies what `valueReader` says to every row, in place. */
export function readRows(
  rows: unknown[],
  fields: readonly Field[],
  options: ValueOptions,
): unknown[] {
  if (rows.length === 0) return rows;
  const readers = readersOf(fields, options, Array.isArray(rows[0]));
  if (readers.length === 0) return rows;
  for (const row of rows as Record<string | number, unknown>[]) {
    for (const [key, read] of readers) {
      const value = row[key];
      if (value !== null) row[key] = read(value);
    }
  }
  return rows;
}

function readersOf(
  fields: readonly Field[],
  options: ValueOptions,
  byIndex: boolean,
): readonly (readonly [string | number, ValueReader])[] {
  const readers: [string | number, ValueReader][] = [];
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as Field;
    const read = valueReader(field, options);
    if (read === undefined) continue;
    // Of two columns with one name the last is in the object, and must be read once.
    if (!byIndex && isHidden(fields, index)) continue;
    readers.push([byIndex ? index : field.name, read]);
  }
  return readers;
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

function okResult(line: Line, ok: OkAnswer, rows: unknown[], columns: Column[]): NativeResult {
  line.noteStatus(ok);
  const { affectedRows, insertId } = ok;
  if (insertId === 0) return { rows, columns, affectedRows };
  return {
    rows,
    columns,
    affectedRows,
    insertId: typeof insertId === 'string' ? BigInt(insertId) : insertId,
  };
}

function columnsOf(fields: readonly Field[]): Column[] {
  return fields.map((field) => {
    const type = field.extendedFormat ?? field.extendedTypeName ?? typeName(field.columnType);
    return type === undefined ? { name: field.name } : { name: field.name, type };
  });
}

function isSeveral(fields: readonly unknown[]): boolean {
  return fields.length > 0 && (fields[0] === undefined || Array.isArray(fields[0]));
}
