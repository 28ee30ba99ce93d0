import {
  ConfigError,
  integerReader,
  jsonFromText,
  timestampFromText,
  timestampToText,
  type ValueOptions,
} from '@dal/core';

// What goes in comes out, the same on every engine: the chapter "values" of the kit is the measure.

/** A value as the library takes it. */
export type Bound = null | number | bigint | string | Uint8Array;

/**
 * The layer has refused what is no value, and made texts of JSON. What is left: null, boolean, number,
 * bigint, string, Date, Uint8Array (and lists, with `dialect.arrays`).
 *
 * @throws ConfigError for what the engine would change without a word
 */
export function encodeValue(value: unknown, index: number): Bound {
  // TODO The library may take booleans and dates as they are.
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Date) return timestampToText(value);
  if (typeof value === 'number') {
    if (Number.isNaN(value)) throw refused(index, 'is NaN, which would be stored as NULL');
    // The library sends every number as a double, which would be 7.0 in a text.
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
  }
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) {
    throw refused(index, 'is a bigint beyond 64 bits; give it as a text');
  }
  return value as Bound;
}

export type ReadCell = (cell: unknown) => unknown;

/** How the cells of a column are read, by the type with which it was declared. */
export function cellReader(type: string | null, settings: ValueOptions): ReadCell {
  const integer = integerReader(settings.integers);
  const plain: ReadCell = (cell) =>
    typeof cell === 'bigint' ? integer(String(cell)) : toBuffer(cell);
  // TODO The types of your database. Its library gives a number or a name for each column.
  switch (type?.toUpperCase()) {
    case 'BOOLEAN':
      return (cell) => (cell === 0n || cell === 1n ? cell === 1n : plain(cell));
    case 'DECIMAL_TEXT':
      return settings.decimals === 'number' ? ifText(Number, plain) : plain;
    case 'TIMESTAMP':
      return settings.timestamps === 'text' ? plain : ifText(timestampFromText, plain);
    case 'JSON_TEXT':
      return settings.json === 'text' ? plain : ifText(jsonFromText, plain);
    default:
      return plain;
  }
}

function ifText(read: (text: string) => unknown, otherwise: ReadCell): ReadCell {
  return (cell) => (typeof cell === 'string' ? read(cell) : otherwise(cell));
}

/** Bytes are Buffers for the user, whatever the library gives. */
function toBuffer(cell: unknown): unknown {
  return cell instanceof Uint8Array
    ? Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength)
    : cell;
}

function refused(index: number, why: string): ConfigError {
  return new ConfigError(`Value ${index + 1} of the statement ${why}. Nothing was sent.`, {
    code: 'DAL_VALUE',
    kind: 'data',
  });
}
