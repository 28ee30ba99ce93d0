import type { Column } from '@dal/core';
import { compileRow, type MakeRow } from './compile-row.ts';
import type { PgField } from './pg-client.ts';
import type { PostgresTypes, ReadValue } from './postgres-types.ts';

/** The columns of a result, with the reader of each. Made once for a prepared statement. */
export interface RowShape {
  readonly columns: readonly Column[];
  /** What it was made of. */
  readonly fields: readonly PgField[];
  readonly types: PostgresTypes | undefined;
  readonly names: readonly string[];
  readonly readers: readonly ReadValue[];
  /** False when a name would reach the prototype of the row (`__proto__`). */
  readonly plainNames: boolean;
  /** Rows made so far, up to the number that makes a function of their own worthwhile. */
  madeCount: number;
  make: MakeRow | undefined;
}

/** To compile a function costs as much as this many rows save. */
const WORTH_COMPILING = 100;

export function rowShape(fields: readonly PgField[], types: PostgresTypes): RowShape {
  const names = fields.map((field) => field.name);
  return {
    fields,
    types,
    names,
    columns: fields.map(({ name, dataTypeID }) => ({ name, type: types.nameOf(dataTypeID) })),
    readers: fields.map(({ dataTypeID }) => types.reader(dataTypeID)),
    plainNames: !names.includes('__proto__'),
    madeCount: 0,
    make: undefined,
  };
}

/** The same columns, read as these types say. */
export function shapeFor(known: RowShape, types: PostgresTypes): RowShape {
  if (known.types === types) return known;
  const isSame = known.fields.every(
    ({ dataTypeID }, index) => known.readers[index] === types.reader(dataTypeID),
  );
  return isSame ? known : rowShape(known.fields, types);
}

export const NO_COLUMNS: RowShape = {
  columns: [],
  fields: [],
  types: undefined,
  names: [],
  readers: [],
  plainNames: true,
  madeCount: 0,
  make: undefined,
};

export function readObject(shape: RowShape, texts: readonly (string | null)[]): unknown {
  if (shape.make !== undefined) return shape.make(texts);
  shape.madeCount++;
  if (shape.madeCount === WORTH_COMPILING) shape.make = compileRow(shape.names, shape.readers);
  const { names, readers } = shape;
  const row: Record<string, unknown> = {};
  for (let index = 0; index < names.length; index++) {
    const text = texts[index];
    const value = text === null || text === undefined ? null : readers[index]!(text);
    if (shape.plainNames) row[names[index]!] = value;
    else define(row, names[index]!, value);
  }
  return row;
}

export function readArray(shape: RowShape, texts: readonly (string | null)[]): unknown {
  const { readers } = shape;
  const row: unknown[] = [];
  for (let index = 0; index < readers.length; index++) {
    const text = texts[index];
    row.push(text === null || text === undefined ? null : readers[index]!(text));
  }
  return row;
}

function define(row: object, name: string, value: unknown): void {
  Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
}
