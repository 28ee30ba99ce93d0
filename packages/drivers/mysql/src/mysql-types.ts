import {
  ConfigError,
  integerReader,
  jsonFromText,
  timestampFromText,
  type ValueOptions,
} from '@dal/core';
import { type Field, TypedParameter } from './line.ts';

/** Turns a value as mysql2 read it into the one mapping of the layer; never called with null. */
export type ValueReader = (value: unknown) => unknown;

/** Numbers of the protocol's column types, as far as they need a reader. */
const TINY = 1;
const SHORT = 2;
const LONG = 3;
const FLOAT = 4;
const TIMESTAMP = 7;
const LONGLONG = 8;
const INT24 = 9;
const TIME = 11;
const DATETIME = 12;
const YEAR = 13;
const JSON_TYPE = 245;
const DECIMAL = 0;
const NEWDECIMAL = 246;

/**
 * What has to be done with the values of a column beyond what mysql2 did; undefined when nothing.
 *
 * mysql2 is set to hand out texts where its own types would lose something: big integers, decimals,
 * dates, JSON.
 */
export function valueReader(field: Field, options: ValueOptions): ValueReader | undefined {
  // MariaDB's JSON is LONGTEXT underneath; from 10.5 the server says what it means.
  if (field.columnType === JSON_TYPE || field.extendedFormat === 'json') {
    return options.json === 'text' ? undefined : readJson;
  }
  switch (field.columnType) {
    case TINY:
      return field.columnLength === 1 ? readBoolean : smallIntegerReader(options);
    case SHORT:
    case LONG:
    case INT24:
    case YEAR:
      return smallIntegerReader(options);
    case LONGLONG:
      return bigIntegerReader(options);
    case FLOAT:
      return readFloat;
    case DECIMAL:
    case NEWDECIMAL:
      return options.decimals === 'number' ? Number : undefined;
    case DATETIME:
    case TIMESTAMP:
      return options.timestamps === 'text' ? fractionReader(field) : readTimestamp;
    case TIME:
      return fractionReader(field);
    default:
      return undefined;
  }
}

/**
 * The value as it goes into the protocol, with a type that the server takes everywhere.
 *
 * @throws ConfigError for what the engine can't hold
 */
export function encodeValue(value: unknown, index: number): unknown {
  if (typeof value === 'number') return encodeNumber(value, index);
  if (typeof value === 'bigint') return encodeBigint(value);
  if (typeof value === 'object' && value !== null) return encodeObject(value, index);
  return value;
}

function encodeNumber(value: number, index: number): unknown {
  // mysql2 sends every number as a DOUBLE, which LIMIT refuses and which turns integers into 1e15.
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return TypedParameter.LONGLONG(value);
  if (Number.isFinite(value)) return value;
  throw unfit(index, 'is NaN or Infinity, which MySQL and MariaDB do not have');
}

function encodeBigint(value: bigint): unknown {
  if (BigInt.asIntN(64, value) === value) return TypedParameter.LONGLONG(value);
  if (BigInt.asUintN(64, value) === value) return TypedParameter.LONGLONG.unsigned(value);
  return TypedParameter.NEWDECIMAL(value.toString());
}

function encodeObject(value: object, index: number): unknown {
  if (value instanceof Date) {
    const year = value.getUTCFullYear();
    if (year >= 0 && year <= 9999) return value;
    throw unfit(
      index,
      'is a Date outside the years 0 to 9999, which MySQL and MariaDB do not have',
    );
  }
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  throw unfit(index, 'is an object; wrap it in json(...)');
}

function unfit(index: number, why: string): ConfigError {
  return new ConfigError(`Value ${index + 1} of the statement ${why}. Nothing was sent.`, {
    code: 'DAL_VALUE',
    kind: 'data',
  });
}

const readJson: ValueReader = (value) => (typeof value === 'string' ? jsonFromText(value) : value);

/** TINYINT(1) is what BOOLEAN becomes; it may hold other numbers, and those stay. */
const readBoolean: ValueReader = (value) => (value === 0 ? false : value === 1 ? true : value);

const readTimestamp: ValueReader = (value) =>
  typeof value === 'string' ? (plainTimestamp(value) ?? timestampFromText(value)) : value;

/**
 * `2024-02-29 12:34:56[.ffffff]`, which nearly every timestamp is, five times faster than by a
 * pattern. Undefined for what is no moment, and for years that `Date.UTC` would move.
 */
function plainTimestamp(text: string): Date | undefined {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (!(text.length >= 19 && text.length <= 26 && year >= 100 && month > 0 && day > 0)) {
    return undefined;
  }
  const milliseconds =
    text.length > 20
      ? digit(text, 20) * 100 +
        (text.length > 21 ? digit(text, 21) * 10 : 0) +
        (text.length > 22 ? digit(text, 22) : 0)
      : 0;
  return new Date(
    Date.UTC(
      year,
      month - 1,
      day,
      twoDigits(text, 11),
      twoDigits(text, 14),
      twoDigits(text, 17),
      milliseconds,
    ),
  );
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - 48;
}

function twoDigits(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1);
}

function smallIntegerReader({ integers }: ValueOptions): ValueReader | undefined {
  if (integers === 'bigint') return (value) => BigInt(value as number);
  if (integers === 'text') return String;
  return undefined;
}

function bigIntegerReader({ integers = 'safe' }: ValueOptions): ValueReader {
  if (integers === 'bigint') return (value) => BigInt(value as number | string);
  if (integers === 'text') return String;
  // mysql2 gives a number when that is exact, and the digits otherwise.
  const readDigits = integerReader(integers);
  return (value) => (typeof value === 'string' ? readDigits(value) : value);
}

/**
 * The shortest number that is the same float. The binary protocol sends 0.1 as the float nearest to
 * it, which is 0.10000000149011612 as a double.
 */
const readFloat: ValueReader = (value) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) return value;
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
};

/** Texts of times show as many digits as the column has; the binary protocol leaves zeros out. */
function fractionReader({ decimals }: Field): ValueReader | undefined {
  // 31 means "as many as there are".
  if (decimals < 1 || decimals > 6) return undefined;
  return (value) => {
    if (typeof value !== 'string') return value;
    const point = value.indexOf('.');
    return point < 0 ? `${value}.${'0'.repeat(decimals)}` : value.padEnd(point + 1 + decimals, '0');
  };
}
