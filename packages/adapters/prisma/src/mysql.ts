import { type ColumnType, ColumnTypes, DriverAdapterError } from './driver-adapter.ts';
import type { Engine } from './engine.ts';
import { describeMysqlError } from './mysql-errors.ts';
import { argument, STATEMENT } from './values.ts';

export const mysql: Engine = {
  provider: 'mysql',
  statement: {
    ...STATEMENT,
    mapping: 'library',
    libraryOptions: { typeCast, supportBigNumbers: true },
  },
  columnTypes({ columns, library }) {
    const [, fields] = library as [unknown, readonly MysqlField[] | undefined];
    return columns.map(({ type }, index) => columnType(type, fields?.[index]));
  },
  toPrisma(value, type, column) {
    if (type === ColumnTypes.DateTime) return momentText(String(value));
    // MariaDB's JSON is a text by its type: mysql2 has read it before anybody is asked.
    return column.type === 'json' ? JSON.stringify(value) : value;
  },
  fromPrisma(value, type) {
    return type.scalarType === 'bigint' && typeof value === 'string'
      ? BigInt(value)
      : argument(value, type);
  },
  describeError: describeMysqlError,
};

/** The protocol's names of the types. */
const types: Readonly<Record<string, ColumnType>> = {
  TINY: ColumnTypes.Int32,
  SHORT: ColumnTypes.Int32,
  INT24: ColumnTypes.Int32,
  LONG: ColumnTypes.Int32,
  YEAR: ColumnTypes.Int32,
  NULL: ColumnTypes.Int32,
  LONGLONG: ColumnTypes.Int64,
  FLOAT: ColumnTypes.Float,
  DOUBLE: ColumnTypes.Double,
  DECIMAL: ColumnTypes.Numeric,
  NEWDECIMAL: ColumnTypes.Numeric,
  TIMESTAMP: ColumnTypes.DateTime,
  DATETIME: ColumnTypes.DateTime,
  DATE: ColumnTypes.Date,
  NEWDATE: ColumnTypes.Date,
  TIME: ColumnTypes.Time,
  JSON: ColumnTypes.Json,
  json: ColumnTypes.Json,
  ENUM: ColumnTypes.Enum,
  BIT: ColumnTypes.Bytes,
  GEOMETRY: ColumnTypes.Bytes,
};

/** Texts and bytes share their types. */
const textOrBytes: ReadonlySet<string | undefined> = new Set([
  'VARCHAR',
  'VAR_STRING',
  'STRING',
  'BLOB',
  'TINY_BLOB',
  'MEDIUM_BLOB',
  'LONG_BLOB',
  'SET',
  // MariaDB's own types are sent as texts.
  'uuid',
  'inet4',
  'inet6',
]);

/** What the protocol says of a column, as mysql2 tells it. */
interface MysqlField {
  readonly flags: number;
  readonly characterSet: number;
}

const UNSIGNED = 32;
const BINARY = 63;

function columnType(name: string | undefined, field: MysqlField | undefined): ColumnType {
  if (textOrBytes.has(name)) {
    return field?.characterSet === BINARY ? ColumnTypes.Bytes : ColumnTypes.Text;
  }
  if (name === 'LONG' && field && (field.flags & UNSIGNED) !== 0) return ColumnTypes.Int64;
  const type = name === undefined ? undefined : types[name];
  if (type === undefined) {
    throw new DriverAdapterError({ kind: 'UnsupportedNativeDataType', type: name ?? 'unknown' });
  }
  return type;
}

interface MysqlCell {
  readonly type: string;
  string(encoding?: string): string | null;
  buffer(): Buffer | null;
}

/** Moments and JSON as the server's texts, and shapes as its bytes: Prisma reads them by itself. */
function typeCast(cell: MysqlCell, next: () => unknown): unknown {
  switch (cell.type) {
    case 'TIMESTAMP':
    case 'DATETIME':
    case 'DATE':
      return cell.string();
    case 'JSON':
      return cell.string('utf8');
    case 'GEOMETRY':
      return cell.buffer();
    default:
      return next();
  }
}

/** Columns without a zone hold UTC, as everywhere in Prisma. */
function momentText(text: string): string {
  return new Date(`${text.replace(' ', 'T')}Z`).toISOString().replace(/(?:\.000)?Z$/, '+00:00');
}
