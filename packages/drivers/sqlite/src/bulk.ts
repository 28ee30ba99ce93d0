import { ConfigError, type LoadBatch, type LoadTarget, quoteIdentifier } from '@dal/core';
import type { Cell } from './session-messages.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { encodeValue } from './sqlite-types.ts';

/** What goes to a session at once: enough to make a message worth it, little enough for its memory. */
const CHUNK_CELLS = 8_192;
const CHUNK_BYTES = 1_048_576;
/** Rows of one INSERT; with more it gets no faster, with one it takes 2.5 times as long. */
const ROWS_IN_STATEMENT = 100;

/** Lists of values, some at a time. */
export function* chunksOf(rows: Iterable<Cell[]>): Generator<Cell[][], void, undefined> {
  let chunk: Cell[][] = [];
  let cells = 0;
  let bytes = 0;
  for (const row of rows) {
    chunk.push(row);
    cells += row.length;
    for (const cell of row) bytes += sizeOf(cell);
    if (cells < CHUNK_CELLS && bytes < CHUNK_BYTES) continue;
    yield chunk;
    chunk = [];
    cells = bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** @throws ConfigError for a value that SQLite can't hold */
export function* encodeRows(
  rows: Iterable<readonly unknown[]>,
  encode: (values: readonly unknown[]) => Cell[],
): Generator<Cell[], void, undefined> {
  for (const values of rows) yield encode(values);
}

/**
 * Inserts rows as they come, a hundred with each statement.
 *
 * @param many runs one text for many lists of values, and answers how many rows it inserted
 * @throws ConfigError for a row that has not one value for each column
 */
export async function loadRows(
  target: LoadTarget,
  batches: AsyncIterable<LoadBatch>,
  many: (text: string, rows: Iterable<Cell[]>) => Promise<number>,
): Promise<number> {
  const { columns } = target;
  const room = Math.floor(sqliteDialect.limits.parameters / columns.length);
  const group = Math.max(1, Math.min(ROWS_IN_STATEMENT, room));
  const grouped = insertText(target, group);
  let left: LoadBatch = [];
  let inserted = 0;
  for await (const batch of batches) {
    const rows = left.length === 0 ? batch : [...left, ...batch];
    const whole = rows.length - (rows.length % group);
    if (whole > 0) inserted += await many(grouped, groupsOf(rows, whole, group, columns));
    left = rows.slice(whole);
  }
  if (left.length > 0) {
    inserted += await many(insertText(target, 1), groupsOf(left, left.length, 1, columns));
  }
  return inserted;
}

function* groupsOf(
  rows: LoadBatch,
  end: number,
  size: number,
  columns: readonly string[],
): Generator<Cell[], void, undefined> {
  for (let at = 0; at < end; at += size) {
    const cells: Cell[] = [];
    for (let index = at; index < at + size; index++) {
      const row = rows[index] as readonly unknown[];
      // A row too short and one too long would else fill each other's columns.
      if (row.length !== columns.length) throw wrongLength(row.length, columns.length);
      for (let column = 0; column < row.length; column++) {
        cells.push(encodeValue(row[column], column));
      }
    }
    yield cells;
  }
}

function insertText({ table, columns }: LoadTarget, rows: number): string {
  const quote = (name: string): string => quoteIdentifier(name, sqliteDialect);
  const row = `(${columns.map(() => '?').join(', ')})`;
  const values = Array.from({ length: rows }, () => row).join(', ');
  return `INSERT INTO ${table.map(quote).join('.')} (${columns.map(quote).join(', ')}) VALUES ${values}`;
}

function sizeOf(cell: Cell): number {
  if (typeof cell === 'string') return cell.length;
  return cell instanceof Uint8Array ? cell.byteLength : 8;
}

function wrongLength(values: number, columns: number): ConfigError {
  return new ConfigError(
    `A row has ${values} values for ${columns} columns. Give each row one value for each column, null for none.`,
    { code: 'DAL_VALUE', kind: 'usage' },
  );
}
