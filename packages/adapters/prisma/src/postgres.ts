import { type ColumnType, ColumnTypes, DriverAdapterError } from './driver-adapter.ts';
import type { Engine } from './engine.ts';
import { argument, STATEMENT } from './values.ts';
import { describePostgresError } from './postgres-errors.ts';

export const postgres: Engine = {
  provider: 'postgres',
  statement: STATEMENT,
  columnTypes: ({ columns }) => columns.map(({ type }) => columnType(type ?? '')),
  toPrisma(value, type, column) {
    return Array.isArray(value)
      ? value.map((item) => toPrisma(item, column.type))
      : toPrisma(value, column.type);
  },
  fromPrisma: argument,
  describeError: describePostgresError,
};

/** By the layer's names of types; Prisma takes each of them as the column type beside it. */
const scalars: Readonly<Record<string, ColumnType>> = {
  int2: ColumnTypes.Int32,
  int4: ColumnTypes.Int32,
  int8: ColumnTypes.Int64,
  oid: ColumnTypes.Int64,
  float4: ColumnTypes.Float,
  float8: ColumnTypes.Double,
  bool: ColumnTypes.Boolean,
  date: ColumnTypes.Date,
  time: ColumnTypes.Time,
  timetz: ColumnTypes.Time,
  timestamp: ColumnTypes.DateTime,
  timestamptz: ColumnTypes.DateTime,
  numeric: ColumnTypes.Numeric,
  money: ColumnTypes.Numeric,
  json: ColumnTypes.Json,
  jsonb: ColumnTypes.Json,
  uuid: ColumnTypes.Uuid,
  bytea: ColumnTypes.Bytes,
  bpchar: ColumnTypes.Text,
  text: ColumnTypes.Text,
  varchar: ColumnTypes.Text,
  bit: ColumnTypes.Text,
  varbit: ColumnTypes.Text,
  inet: ColumnTypes.Text,
  cidr: ColumnTypes.Text,
  xml: ColumnTypes.Text,
  name: ColumnTypes.Text,
};

const arrays: Readonly<Record<string, ColumnType>> = {
  int2: ColumnTypes.Int32Array,
  int4: ColumnTypes.Int32Array,
  int8: ColumnTypes.Int64Array,
  oid: ColumnTypes.Int64Array,
  float4: ColumnTypes.FloatArray,
  float8: ColumnTypes.DoubleArray,
  bool: ColumnTypes.BooleanArray,
  date: ColumnTypes.DateArray,
  time: ColumnTypes.TimeArray,
  timestamp: ColumnTypes.DateTimeArray,
  timestamptz: ColumnTypes.DateTimeArray,
  numeric: ColumnTypes.NumericArray,
  money: ColumnTypes.NumericArray,
  json: ColumnTypes.JsonArray,
  jsonb: ColumnTypes.JsonArray,
  uuid: ColumnTypes.UuidArray,
  bytea: ColumnTypes.BytesArray,
  char: ColumnTypes.CharacterArray,
  bpchar: ColumnTypes.TextArray,
  text: ColumnTypes.TextArray,
  varchar: ColumnTypes.TextArray,
  bit: ColumnTypes.TextArray,
  varbit: ColumnTypes.TextArray,
  inet: ColumnTypes.TextArray,
  cidr: ColumnTypes.TextArray,
  xml: ColumnTypes.TextArray,
};

/** Types that neither Prisma nor the layer reads, for the message about them. */
const unread: Readonly<Record<string, string>> = {
  '600': 'point',
  '601': 'lseg',
  '602': 'path',
  '603': 'box',
  '604': 'polygon',
  '628': 'line',
  '718': 'circle',
  '2205': 'regclass',
  '2278': 'void',
  '3220': 'pg_lsn',
};

/** Types of extensions and users have numbers from here on: enums, citext. */
const FIRST_OWN_TYPE = 16_384;

function columnType(name: string): ColumnType {
  const known = name.endsWith('[]') ? arrays[name.slice(0, -2)] : scalars[name];
  if (known !== undefined) return known;
  if (Number(name) >= FIRST_OWN_TYPE) return ColumnTypes.Text;
  throw new DriverAdapterError({ kind: 'UnsupportedNativeDataType', type: unread[name] ?? name });
}

function toPrisma(value: unknown, type: string | undefined): unknown {
  switch (type?.replace('[]', '')) {
    case 'json':
    case 'jsonb':
      return value === null ? null : JSON.stringify(value);
    case 'timestamp':
    case 'timestamptz':
      return value instanceof Date ? value.toISOString().replace('Z', '+00:00') : value;
    case 'timetz':
      return typeof value === 'string' ? value.replace(/[+-]\d{2}(?::\d{2})?$/, '') : value;
    case 'money':
      // The sign and the currency are the server's, `$1.00`.
      return typeof value === 'string' ? value.replace(/^(-?)\D/, '$1') : value;
    default:
      return typeof value === 'bigint' ? value.toString() : value;
  }
}
