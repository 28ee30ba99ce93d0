import { ConfigError, isJson, timestampToText } from '@dal/core';

/** What a column wants to be sent as. */
export interface LoadColumn {
  readonly name: string;
  readonly kind: LoadKind;
}

export type LoadKind = 'text' | 'bytes' | 'bits';

/**
 * Reads the type as `SHOW COLUMNS` tells it, such as `varbinary(8)`. Undefined for ENUM and SET, where
 * a number means a place and not a word, which a file can't tell.
 */
export function loadKind(type: string): LoadKind | undefined {
  const word = /^[a-z]+/.exec(type.toLowerCase())?.[0] ?? '';
  if (word === 'enum' || word === 'set') return undefined;
  if (word === 'bit') return 'bits';
  return bytesTypes.has(word) ? 'bytes' : 'text';
}

const bytesTypes = new Set(
  'binary varbinary tinyblob blob mediumblob longblob vector geometry point linestring polygon multipoint multilinestring multipolygon geometrycollection geomcollection'.split(
    ' ',
  ),
);

/**
 * One row as a line of the file: tabs between values, `\N` for NULL, a backslash in front of what
 * would be taken for a tab, an end of line or a backslash. Bytes are written in hexadecimal.
 *
 * @throws ConfigError for what the column can't hold, with the row's place and without values
 */
export function loadLine(
  columns: readonly LoadColumn[],
  row: readonly unknown[],
  rowIndex: number,
): string {
  try {
    return lineOf(columns, row);
  } catch (error) {
    throw Object.assign(error as Error, { rowIndex });
  }
}

function lineOf(columns: readonly LoadColumn[], row: readonly unknown[]): string {
  if (row.length !== columns.length) {
    throw unfit(`A row has ${row.length} values for ${columns.length} columns`);
  }
  let line = '';
  for (let index = 0; index < columns.length; index++) {
    if (index > 0) line += '\t';
    const value = row[index];
    line += value === null ? String.raw`\N` : field(columns[index] as LoadColumn, value);
  }
  return `${line}\n`;
}

function field(column: LoadColumn, value: unknown): string {
  switch (column.kind) {
    case 'text':
      return escape(textOf(value, column));
    case 'bytes':
      return bytesOf(value, column).toString('hex');
    default:
      return bitsOf(value, column);
  }
}

/** Anything but these leaves a text as it is; nearly every text is so. */
const special = /[\\\t\n\r\0]/;
const specials = /[\\\t\n\r\0]/g;
const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': String.raw`\t`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\0': String.raw`\0`,
};

function escape(text: string): string {
  return special.test(text) ? text.replace(specials, (sign) => escapes[sign] as string) : text;
}

function textOf(value: unknown, { name }: LoadColumn): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
      throw unfit(`Column "${name}" got NaN or Infinity, which MySQL and MariaDB do not have`);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? '1' : '0';
    default:
  }
  if (value instanceof Date) {
    const year = value.getUTCFullYear();
    if (year >= 0 && year <= 9999) return timestampToText(value);
    throw unfit(`Column "${name}" got a Date outside the years 0 to 9999`);
  }
  if (value instanceof Uint8Array) {
    try {
      return strictUtf8.decode(value);
    } catch {
      throw unfit(`Column "${name}" holds text, and got bytes that are not UTF-8`);
    }
  }
  if (isJson(value)) return value.text;
  throw unfit(`Column "${name}" got ${value === undefined ? 'undefined' : `a ${typeof value}`}`);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function bytesOf(value: unknown, column: LoadColumn): Buffer {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return Buffer.from(textOf(value, column));
}

/** The number that the bits are; a text or bytes are taken bit by bit. */
function bitsOf(value: unknown, column: LoadColumn): string {
  if (typeof value === 'string' || value instanceof Uint8Array) {
    const digits = bytesOf(value, column).toString('hex');
    return digits === '' ? '0' : BigInt(`0x${digits}`).toString();
  }
  return textOf(value, column);
}

function unfit(what: string): ConfigError {
  return new ConfigError(`${what}. Nothing of the load stays.`, {
    code: 'DAL_VALUE',
    kind: 'data',
  });
}
