import type { ReadCell } from './read-cells.ts';

/** How rows that come as arrays become the user's; both change the list and the arrays. */
export interface RowShape {
  toArrays(rows: unknown[][]): unknown[];
  toObjects(rows: unknown[][]): unknown[];
}

/** @param integer undefined when no bigint has to be looked at any more */
export function rowShape(
  names: readonly string[],
  readers: readonly (ReadCell | undefined)[],
  integer: ((value: bigint) => unknown) | undefined,
): RowShape {
  let build: ((rows: unknown[][]) => unknown[]) | undefined;
  const toArrays = (rows: unknown[][]): unknown[][] => {
    if (integer !== undefined) readAll(rows, readers, integer);
    else readSome(rows, readers);
    return rows;
  };
  return {
    toArrays,
    toObjects(rows) {
      build ??= names.includes('__proto__') ? safeBuilder(names) : objectBuilder(names);
      return build(toArrays(rows));
    },
  };
}

function readAll(
  rows: unknown[][],
  readers: readonly (ReadCell | undefined)[],
  integer: (value: bigint) => unknown,
): void {
  for (const row of rows) {
    for (let index = 0; index < row.length; index++) {
      const read = readers[index];
      const cell = row[index];
      if (read !== undefined) row[index] = read(cell);
      else if (typeof cell === 'bigint') row[index] = integer(cell);
    }
  }
}

function readSome(rows: unknown[][], readers: readonly (ReadCell | undefined)[]): void {
  for (let index = 0; index < readers.length; index++) {
    const read = readers[index];
    if (read === undefined) continue;
    for (const row of rows) row[index] = read(row[index]);
  }
}

/** Made of a text: objects of one literal have one form and are built at once. */
function objectBuilder(names: readonly string[]): (rows: unknown[][]) => unknown[] {
  const literal = names.map((name, index) => `${JSON.stringify(name)}: row[${index}]`).join(', ');
  const body = `for (let i = 0; i < rows.length; i++) { const row = rows[i]; rows[i] = { ${literal} }; } return rows;`;
  // oxlint-disable-next-line typescript/no-implied-eval -- the names are quoted, the rest is written above
  return new Function('rows', body) as (rows: unknown[][]) => unknown[];
}

/** A column named `__proto__` must not become the row's prototype. */
function safeBuilder(names: readonly string[]): (rows: unknown[][]) => unknown[] {
  return (rows) =>
    rows.map((row) =>
      Object.fromEntries(names.map((name, index): [string, unknown] => [name, row[index]])),
    );
}
