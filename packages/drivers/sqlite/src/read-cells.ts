import type { ColumnKind } from './column-kind.ts';
import type { SessionSettings } from './session-messages.ts';

/** Turns what SQLite gave into what the user gets; whole numbers come as bigints, so that none loses digits. */
export type ReadCell = (cell: unknown) => unknown;

export interface CellSettings extends Pick<SessionSettings, 'integers' | 'decimals'> {
  /** Undefined: the text stays. */
  readonly timestamp?: ((text: string) => unknown) | undefined;
  readonly json?: ((text: string) => unknown) | undefined;
}

/** One reader for each column; undefined where only whole numbers have to be looked at. */
export function cellReaders(
  kinds: readonly ColumnKind[],
  settings: CellSettings,
): (ReadCell | undefined)[] {
  const integer = integerCell(settings.integers);
  return kinds.map((kind) => {
    switch (kind) {
      case 'boolean':
        return (cell) =>
          typeof cell !== 'bigint'
            ? cell
            : cell === 0n || cell === 1n
              ? cell === 1n
              : integer(cell);
      case 'decimal':
        return settings.decimals === 'number' ? decimalNumber : decimalText;
      case 'timestamp':
        return settings.timestamp && textOr(integer, settings.timestamp);
      case 'json':
        return settings.json && textOr(integer, settings.json);
      case 'plain':
      default:
        return undefined;
    }
  });
}

/** Reads rows that are objects with these keys, in place. */
export type ReadObjects = (rows: readonly object[]) => void;

/**
 * Made of a text, as better-sqlite3 makes its rows: with the keys written out the engine finds a
 * property at once, in a loop over names it searches each time (1.2 against 1.4 times the plain read
 * of 1,000 rows).
 */
export function objectReader(
  keys: readonly string[],
  readers: readonly (ReadCell | undefined)[],
  integer: (value: bigint) => unknown,
): ReadObjects {
  const lines = keys.map((key, index) => {
    const property = `row[${JSON.stringify(key)}]`;
    return readers[index]
      ? `${property} = readers[${index}](${property});`
      : `cell = ${property}; if (typeof cell === 'bigint') ${property} = integer(cell);`;
  });
  const body = `return (rows) => { let cell; for (let i = 0; i < rows.length; i++) { const row = rows[i]; ${lines.join(' ')} } };`;
  // oxlint-disable-next-line typescript/no-implied-eval -- the keys are quoted, the rest is written above
  return new Function('readers', 'integer', body)(readers, integer) as ReadObjects;
}

/** A number when that is exact, a bigint beyond. */
export function safeInteger(value: number | bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export function integerCell(
  mode: SessionSettings['integers'],
): (value: bigint) => number | bigint | string {
  switch (mode) {
    case 'bigint':
      return (value) => value;
    case 'text':
      return String;
    case 'number':
      return numberOnly;
    case 'safe':
    default:
      return safeInteger;
  }
}

function numberOnly(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw Object.assign(
    new RangeError(
      'A whole number in the result does not fit a JavaScript number. Use integers: "safe" or "bigint".',
    ),
    { code: 'DAL_VALUE_RANGE' },
  );
}

function textOr(integer: (value: bigint) => unknown, read: (text: string) => unknown): ReadCell {
  return (cell) => {
    if (typeof cell === 'string') return read(cell);
    return typeof cell === 'bigint' ? integer(cell) : cell;
  };
}

const decimalText: ReadCell = (cell) => (isNumeral(cell) ? String(cell) : cell);
const decimalNumber: ReadCell = (cell) => (isNumeral(cell) ? Number(cell) : cell);

/** Text is a numeral too: a type with TEXT in it keeps the digits as they came. */
function isNumeral(cell: unknown): cell is number | bigint | string {
  return typeof cell === 'bigint' || typeof cell === 'number' || typeof cell === 'string';
}
