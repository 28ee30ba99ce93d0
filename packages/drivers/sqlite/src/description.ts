import type { Column } from '@dal/core';
import { columnKind } from './column-kind.ts';
import type { SqliteStatement } from './native-database.ts';
import {
  type CellSettings,
  cellReaders,
  integerCell,
  objectReader,
  type ReadObjects,
} from './read-cells.ts';
import { type RowShape, rowShape } from './row-shape.ts';

/** What is known of a statement's columns, and how its cells are read. */
export interface Description {
  readonly names: readonly string[];
  /** As declared, each; empty for expressions. */
  readonly types: readonly string[];
  readonly columns: readonly Column[];
  /** Reads rows that are arrays. */
  readonly shape: RowShape;
  /** Of rows with the library's own values, which stay as they are. */
  readonly libraryShape: RowShape;
  /** The keys of a row that is an object: without repeated names, and whole numbers first. */
  readonly keys: readonly string[];
  readonly readObjects: ReadObjects;
  /** An object's values are the cells in the order of the columns. */
  readonly inOrder: boolean;
  /** Rows can be objects as the library makes them; `__proto__` is a name that it can't give them. */
  readonly plainObjects: boolean;
}

/** Asks a statement for its columns; after it ran, for only that brings a stale one up to date. */
export function describeStatement(statement: SqliteStatement, settings: CellSettings): Description {
  const described = statement.columns();
  const names = described.map(({ name }) => name);
  return makeDescription(
    names,
    described.map(({ type }) => type ?? ''),
    settings,
  );
}

export function makeDescription(
  names: readonly string[],
  types: readonly string[],
  settings: CellSettings,
): Description {
  const readers = cellReaders(types.map(columnKind), settings);
  const integer = integerCell(settings.integers);
  // Of two columns with one name the last one stays.
  const places = Object.fromEntries(names.map((name, index) => [name, index]));
  const keys = Object.keys(places);
  let readObjects: ReadObjects | undefined;
  let libraryShape: RowShape | undefined;
  return {
    names,
    types,
    columns: namedColumns(names, types),
    keys,
    inOrder: names.length > 0 && names.every((name, index) => name === keys[index]),
    plainObjects: !names.includes('__proto__'),
    shape: rowShape(names, readers, integer),
    get libraryShape() {
      libraryShape ??= rowShape(names, [], undefined);
      return libraryShape;
    },
    // Made when it is needed: the process of a session never needs it.
    get readObjects() {
      readObjects ??= objectReader(
        keys,
        keys.map((key) => readers[places[key] as number]),
        integer,
      );
      return readObjects;
    },
  };
}

export const NO_COLUMNS: Description = makeDescription([], [], {
  integers: 'safe',
  decimals: 'text',
});

/** For the parent of a session's process, which has read the numbers already. */
export function textShape(
  names: readonly string[],
  types: readonly string[],
  settings: CellSettings,
): RowShape & { readonly columns: readonly Column[]; readonly library: RowShape } {
  const kinds = types.map(columnKind);
  const readers = cellReaders(kinds, settings).map((read, index) =>
    kinds[index] === 'timestamp' || kinds[index] === 'json' ? read : undefined,
  );
  return {
    columns: namedColumns(names, types),
    library: rowShape(names, [], undefined),
    ...rowShape(names, readers, undefined),
  };
}

function namedColumns(names: readonly string[], types: readonly string[]): Column[] {
  return names.map((name, index) => {
    const type = types[index] ?? '';
    return type === '' ? { name } : { name, type };
  });
}

/** True when a row has just these keys, which come from SQLite itself, in this order. */
export function fitsKeys(row: object, keys: readonly string[]): boolean {
  let index = 0;
  for (const key in row) if (keys[index++] !== key) return false;
  return index === keys.length;
}
