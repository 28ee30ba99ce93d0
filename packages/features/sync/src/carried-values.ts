import { ConfigError, isJson } from '@dal/core';

// Structured clone keeps numbers, bigints, Dates and bytes, but makes a plain Uint8Array of a Buffer
// and takes the whole memory along of which a view shows a part.

/**
 * Makes values fit to travel: each piece of bytes gets memory of its own.
 *
 * @returns true when there are Buffers, so that the receiver has to look for them
 */
export function packRows(rows: readonly unknown[]): boolean {
  let found = false;
  for (const row of rows) {
    if (typeof row === 'object' && row !== null && packCells(row)) found = true;
  }
  return found;
}

/** Gives Buffers back what `packRows` took from them. */
export function unpackRows(rows: readonly unknown[]): void {
  for (const row of rows) if (typeof row === 'object' && row !== null) unpackCells(row);
}

/** The same for one value, which may be a list. */
export function packCell(value: unknown): { readonly value: unknown; readonly bytes: boolean } {
  const holder = [value];
  const bytes = packCells(holder);
  return { value: holder[0], bytes };
}

export function unpackCell(value: unknown): unknown {
  const holder = [value];
  unpackCells(holder);
  return holder[0];
}

/**
 * A copy of rows from the user that can travel; `json()` becomes its text. Whatever can't be a value
 * is left to the layer's own check on the other side where it can travel, and refused here otherwise.
 */
export function portableRow(row: unknown, index: number): unknown {
  if (Array.isArray(row)) return row.map((value) => portableValue(value, index));
  if (typeof row !== 'object' || row === null) return row;
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, portableValue(value, index)]),
  );
}

/** Gives the Buffers among options back, after they have travelled. */
export function restoreOption(value: unknown): unknown {
  if (value instanceof Uint8Array) return unpackCell(value);
  if (Array.isArray(value)) return value.map(restoreOption);
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, restoreOption(item)] as const),
  );
}

function portableValue(value: unknown, index: number): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value !== 'function' && typeof value !== 'symbol') return value;
    throw new ConfigError(
      `Row ${index + 1} holds a ${typeof value}, which no database can hold. Nothing of it was sent.`,
      { kind: 'usage', code: 'DAL_VALUE' },
    );
  }
  if (isJson(value)) return value.text;
  return packCell(value).value;
}

/**
 * An option, or all of them, fit to travel.
 *
 * @throws ConfigError that names the option which isn't
 */
export function portableOption(value: unknown, where = ''): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') {
    const instead =
      where === 'password'
        ? 'Ask for the password first, and open a database with the text for blocking calls.'
        : 'Open a database without it for blocking calls.';
    throw cannotTravel(where, `is a ${typeof value}`, instead);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item, index) => portableOption(item, `${where}[${index}]`));
  }
  if (isPlain(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        portableOption(item, where === '' ? key : `${where}.${key}`),
      ]),
    );
  }
  try {
    return structuredClone(value);
  } catch {
    throw cannotTravel(where, 'is an object that cannot be copied', 'Give plain data.');
  }
}

function cannotTravel(where: string, what: string, instead: string): ConfigError {
  return new ConfigError(
    `Blocking calls run in a worker thread, and the option "${where}" can't go there: it ${what}. ${instead}`,
    { kind: 'usage', code: 'DAL_SYNC_OPTION' },
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

type Cells = Record<string | number, unknown>;

function packCells(row: object): boolean {
  const cells = row as Cells;
  let found = false;
  for (const key in cells) {
    const cell = cells[key];
    if (typeof cell !== 'object' || cell === null) continue;
    if (cell instanceof Uint8Array) {
      if (Buffer.isBuffer(cell)) found = true;
      if (cell.byteLength !== cell.buffer.byteLength) cells[key] = new Uint8Array(cell);
    } else if (Array.isArray(cell) && packCells(cell)) found = true;
  }
  return found;
}

function unpackCells(row: object): void {
  const cells = row as Cells;
  for (const key in cells) {
    const cell = cells[key];
    if (typeof cell !== 'object' || cell === null) continue;
    if (cell instanceof Uint8Array) {
      cells[key] = Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength);
    } else if (Array.isArray(cell)) unpackCells(cell);
  }
}
