import { integerReader, jsonFromText, timestampFromText, type ValueOptions } from '@dal/core';
import type { Field } from './protocol.ts';

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
  if (field.isDoubleText) return Number;
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
