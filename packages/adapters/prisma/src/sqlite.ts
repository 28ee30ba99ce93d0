import { type ColumnType, ColumnTypes } from './driver-adapter.ts';
import type { Engine } from './engine.ts';
import { describeSqliteError } from './sqlite-errors.ts';
import { STATEMENT } from './values.ts';

export const sqlite: Engine = {
  provider: 'sqlite',
  statement: { ...STATEMENT, mapping: 'library', libraryOptions: { safeIntegers: true } },
  columnTypes: ({ columns, rows }) =>
    columns.map(
      ({ type }, index) => declared[(type ?? '').toUpperCase()] ?? typeOfValues(rows, index),
    ),
  toPrisma(value, type) {
    if (typeof value === 'number') {
      if (type === ColumnTypes.Int32 || type === ColumnTypes.Int64) return Math.trunc(value);
      return type === ColumnTypes.DateTime ? momentOf(value) : value;
    }
    if (typeof value !== 'bigint') return value;
    return type === ColumnTypes.DateTime ? momentOf(value) : safeInteger(value);
  },
  fromPrisma(value, type) {
    if (typeof value === 'string') {
      switch (type.scalarType) {
        case 'int':
          return Number.parseInt(value, 10);
        case 'float':
        case 'decimal':
          return Number.parseFloat(value);
        case 'bigint':
          return BigInt(value);
        case 'bytes':
          return Buffer.from(value, 'base64');
        case 'datetime':
          return momentText(new Date(value));
        default:
          return value;
      }
    }
    // SQLite has no booleans.
    if (typeof value === 'boolean') return Number(value);
    return value instanceof Date ? momentText(value) : value;
  },
  describeError: describeSqliteError,
};

/** What Prisma's migrations declare, and the other names that SQLite's manual has. */
const declared: Readonly<Record<string, ColumnType>> = {
  DECIMAL: ColumnTypes.Numeric,
  FLOAT: ColumnTypes.Float,
  DOUBLE: ColumnTypes.Double,
  'DOUBLE PRECISION': ColumnTypes.Double,
  NUMERIC: ColumnTypes.Double,
  REAL: ColumnTypes.Double,
  TINYINT: ColumnTypes.Int32,
  SMALLINT: ColumnTypes.Int32,
  MEDIUMINT: ColumnTypes.Int32,
  INT: ColumnTypes.Int32,
  INTEGER: ColumnTypes.Int32,
  SERIAL: ColumnTypes.Int32,
  INT2: ColumnTypes.Int32,
  BIGINT: ColumnTypes.Int64,
  'UNSIGNED BIG INT': ColumnTypes.Int64,
  INT8: ColumnTypes.Int64,
  DATETIME: ColumnTypes.DateTime,
  TIMESTAMP: ColumnTypes.DateTime,
  TIME: ColumnTypes.Time,
  DATE: ColumnTypes.Date,
  TEXT: ColumnTypes.Text,
  CLOB: ColumnTypes.Text,
  CHARACTER: ColumnTypes.Text,
  VARCHAR: ColumnTypes.Text,
  'VARYING CHARACTER': ColumnTypes.Text,
  NCHAR: ColumnTypes.Text,
  'NATIVE CHARACTER': ColumnTypes.Text,
  NVARCHAR: ColumnTypes.Text,
  BLOB: ColumnTypes.Bytes,
  BOOLEAN: ColumnTypes.Boolean,
  JSONB: ColumnTypes.Json,
};

/** An expression has no declared type: its first value tells. */
function typeOfValues(rows: readonly (readonly unknown[])[], index: number): ColumnType {
  const value = rows.find((row) => row[index] !== null)?.[index];
  switch (typeof value) {
    case 'string':
      return ColumnTypes.Text;
    case 'bigint':
      return ColumnTypes.Int64;
    case 'number':
      return ColumnTypes.UnknownNumber;
    default:
      return value instanceof Uint8Array ? ColumnTypes.Bytes : ColumnTypes.Int32;
  }
}

/** Milliseconds, as Prisma's older engines wrote moments. */
function momentOf(value: number | bigint): string {
  return new Date(Number(value)).toISOString();
}

function safeInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function momentText(date: Date): string {
  return date.toISOString().replace('Z', '+00:00');
}
