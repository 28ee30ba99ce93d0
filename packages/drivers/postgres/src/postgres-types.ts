import {
  ConfigError,
  integerReader,
  jsonFromText,
  timestampFromText,
  type ValueOptions,
} from '@dal/core';
import { arrayFromText, arrayToText } from './array-literal.ts';
import { usualTimestamp } from './usual-timestamp.ts';

/** Turns the text that the server wrote into a value. */
export type ReadValue = (text: string) => unknown;

/** What goes into a Bind message: text, or bytes for `bytea`. */
export type EncodedValue = string | Buffer | null;

/** The types of one database, by the number (oid) that the server sends with each column. */
export interface PostgresTypes {
  reader(oid: number): ReadValue;
  /** The name of a built-in type, else its number. */
  nameOf(oid: number): string;
  /** What `pg` asks when the user runs statements on the raw client. */
  getTypeParser(oid: number, format?: string): ReadValue;
}

type Family =
  | 'boolean'
  | 'integer'
  | 'double'
  | 'decimal'
  | 'bytes'
  | 'timestamp'
  | 'json'
  | 'text';

/** [oid, oid of its array, name, family]; a type that isn't here arrives as the server's text. */
const builtIn: readonly (readonly [number, number, string, Family])[] = [
  [16, 1000, 'bool', 'boolean'],
  [20, 1016, 'int8', 'integer'],
  [21, 1005, 'int2', 'integer'],
  [23, 1007, 'int4', 'integer'],
  [26, 1028, 'oid', 'integer'],
  [700, 1021, 'float4', 'double'],
  [701, 1022, 'float8', 'double'],
  [1700, 1231, 'numeric', 'decimal'],
  [17, 1001, 'bytea', 'bytes'],
  [1114, 1115, 'timestamp', 'timestamp'],
  [1184, 1185, 'timestamptz', 'timestamp'],
  [114, 199, 'json', 'json'],
  [3802, 3807, 'jsonb', 'json'],
  [1082, 1182, 'date', 'text'],
  [1083, 1183, 'time', 'text'],
  [1266, 1270, 'timetz', 'text'],
  [1186, 1187, 'interval', 'text'],
  [18, 1002, 'char', 'text'],
  [19, 1003, 'name', 'text'],
  [25, 1009, 'text', 'text'],
  [1042, 1014, 'bpchar', 'text'],
  [1043, 1015, 'varchar', 'text'],
  [2950, 2951, 'uuid', 'text'],
  [790, 791, 'money', 'text'],
  [142, 143, 'xml', 'text'],
  [650, 651, 'cidr', 'text'],
  [869, 1041, 'inet', 'text'],
  [829, 1040, 'macaddr', 'text'],
  [774, 775, 'macaddr8', 'text'],
  [1560, 1561, 'bit', 'text'],
  [1562, 1563, 'varbit', 'text'],
  [3614, 3643, 'tsvector', 'text'],
  [3615, 3645, 'tsquery', 'text'],
  [3904, 3905, 'int4range', 'text'],
  [3906, 3907, 'numrange', 'text'],
  [3908, 3909, 'tsrange', 'text'],
  [3910, 3911, 'tstzrange', 'text'],
  [3912, 3913, 'daterange', 'text'],
  [3926, 3927, 'int8range', 'text'],
];

export function postgresTypes(options: ValueOptions = {}): PostgresTypes {
  const families: Readonly<Record<Family, ReadValue>> = {
    boolean: (text) => text === 't',
    integer: integerReader(options.integers),
    double: Number,
    decimal: options.decimals === 'number' ? Number : asText,
    bytes: bytesFromText,
    // 'infinity' is no Date: timestampFromText leaves it as text.
    timestamp: options.timestamps === 'text' ? asText : readTimestamp,
    json: options.json === 'text' ? asText : jsonFromText,
    text: asText,
  };
  const readers = new Map<number, ReadValue>();
  for (const [oid, arrayOid, , family] of builtIn) {
    const read = families[family];
    readers.set(oid, read);
    readers.set(arrayOid, (text) => arrayFromText(text, read));
  }
  const reader = (oid: number): ReadValue => readers.get(oid) ?? asText;
  return {
    reader,
    nameOf: nameOfType,
    getTypeParser: (oid, format) => (format === 'binary' ? (bytes) => bytes : reader(oid)),
  };
}

export function nameOfType(oid: number): string {
  return names.get(oid) ?? String(oid);
}

const names: ReadonlyMap<number, string> = new Map(
  builtIn.flatMap(([oid, arrayOid, name]) => [
    [oid, name] as const,
    [arrayOid, `${name}[]`] as const,
  ]),
);

/**
 * Writes the values of a statement the way PostgreSQL reads them, whatever the zone of the machine.
 *
 * @throws ConfigError, before anything is sent
 */
export function encodeValues(values: readonly unknown[]): EncodedValue[] {
  const encoded: EncodedValue[] = [];
  for (let index = 0; index < values.length; index++) encoded.push(encode(values[index]));
  return encoded;
}

function encode(value: unknown): EncodedValue {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberToText(value);
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return asBuffer(value);
  if (Array.isArray(value)) return arrayToText(value, scalarToText);
  return scalarToText(value);
}

function scalarToText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberToText(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Date) return dateToText(value);
  if (value instanceof Uint8Array) return `\\x${asBuffer(value).toString('hex')}`;
  throw new ConfigError(
    `A value of the statement is of a type that PostgreSQL has no form for (${typeof value}). Wrap objects in json(...). Nothing was sent.`,
    { kind: 'usage', code: 'DAL_VALUE' },
  );
}

function numberToText(value: number): string {
  return value === 0 && Object.is(value, -0) ? '-0' : String(value);
}

/** `2026-01-31 12:30:00.000+00`: the offset makes it the same moment whatever the session's zone. */
function dateToText(date: Date): string {
  if (Number.isNaN(date.getTime())) {
    throw new ConfigError('A value of the statement is an invalid Date. Nothing was sent.', {
      kind: 'usage',
      code: 'DAL_VALUE',
    });
  }
  const year = date.getUTCFullYear();
  // The year 0 of JavaScript is 1 BC; PostgreSQL knows no signs in years.
  const digits = String(year < 1 ? 1 - year : year).padStart(4, '0');
  const [day, time] = date.toISOString().slice(-20, -1).split('T');
  return `${digits}${day} ${time}+00${year < 1 ? ' BC' : ''}`;
}

function bytesFromText(text: string): Buffer {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex');
  // bytea_output = escape, when a pooler or a role sets it.
  const unescaped = text.replaceAll(/\\(\\|[0-7]{3})/g, (_, code: string) =>
    code === '\\' ? '\\' : String.fromCodePoint(Number.parseInt(code, 8)),
  );
  return Buffer.from(unescaped, 'latin1');
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readTimestamp(text: string): Date | string {
  return usualTimestamp(text) ?? timestampFromText(text);
}

function asText(text: string): string {
  return text;
}
