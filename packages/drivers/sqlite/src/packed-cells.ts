/**
 * Cells as JSON can carry them. The general form of `node:v8` is no faster, and what it has read
 * outlives two collections of garbage: a stream of a million rows grew by 150 MiB with it.
 *
 * A cell is never a list by itself, so a list stands for what JSON has no word for.
 */
type Packed = readonly [kind: 'integer' | 'bytes' | 'number', text: string];

/** Replaces in place what JSON can't carry; true when there was any. */
export function packCells(cells: unknown[]): boolean {
  let packed = false;
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index];
    if (typeof cell === 'string' || cell === null || typeof cell === 'boolean') continue;
    if (typeof cell === 'number' && Number.isFinite(cell) && !Object.is(cell, -0)) continue;
    cells[index] = pack(cell);
    packed = true;
  }
  return packed;
}

export function packRows(rows: readonly unknown[][]): boolean {
  let packed = false;
  for (const row of rows) if (packCells(row)) packed = true;
  return packed;
}

/** Puts back in place what `packCells` replaced. */
export function unpackCells(cells: unknown[]): void {
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index];
    if (typeof cell === 'object' && cell !== null) cells[index] = unpack(cell as Packed);
  }
}

function pack(cell: unknown): Packed {
  if (typeof cell === 'bigint') return ['integer', String(cell)];
  if (cell instanceof Uint8Array) {
    const { buffer, byteOffset, byteLength } = cell;
    return ['bytes', Buffer.from(buffer, byteOffset, byteLength).toString('base64')];
  }
  return ['number', Object.is(cell, -0) ? '-0' : String(cell)];
}

function unpack([kind, text]: Packed): bigint | Uint8Array | number {
  if (kind === 'integer') return BigInt(text);
  return kind === 'bytes' ? Buffer.from(text, 'base64') : Number(text);
}
