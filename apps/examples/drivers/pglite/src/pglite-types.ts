import { types } from '@electric-sql/pglite';
import {
  integerReader,
  jsonFromText,
  timestampFromText,
  timestampToText,
  type ValueOptions,
} from '@dal/core';

type Parsers = Record<number, (text: string) => unknown>;

/** Values go as texts, in PostgreSQL's own form; the server knows the type of each place. */
export function encodeValue(value: unknown): string | null {
  if (value === null) return null;
  if (Array.isArray(value)) return `{${value.map(encodeItem).join(',')}}`;
  if (value instanceof Date) return `${timestampToText(value)}Z`;
  if (value instanceof Uint8Array) {
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
  }
  if (Object.is(value, -0)) return '-0';
  return (value as string | number | bigint | boolean).toString();
}

function encodeItem(item: unknown): string {
  const text = encodeValue(item);
  if (text === null) return 'NULL';
  return Array.isArray(item) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** PGlite would check and write the values by itself; they are texts already. */
export const serializers: Record<number, (text: string) => string> = Object.fromEntries(
  Object.keys(types.serializers).map((oid) => [oid, (text: string) => text]),
);

/** How the texts of a result are read, by the type's number. */
export function parsersFor(settings: ValueOptions): Parsers {
  const integer = integerReader(settings.integers);
  const timestamp = settings.timestamps === 'text' ? String : timestampFromText;
  const document = settings.json === 'text' ? String : jsonFromText;
  return {
    [types.INT2]: integer,
    [types.INT4]: integer,
    [types.INT8]: integer,
    [types.NUMERIC]: settings.decimals === 'number' ? Number : String,
    [types.DATE]: String,
    [types.TIMESTAMP]: timestamp,
    [types.TIMESTAMPTZ]: timestamp,
    [types.JSON]: document,
    [types.JSONB]: document,
    [types.BYTEA]: (text) => Buffer.from(text.slice(2), 'hex'),
  };
}
