import type { Cell } from './session-messages.ts';

/** What better-sqlite3 is given: it binds every number as REAL, so whole numbers are bigints already. */
export type Bound = null | number | bigint | string | Uint8Array;

/** A whole number as REAL would become `5.0` in a TEXT column. */
export function bindCell(cell: Cell): Bound {
  return typeof cell === 'number' && Number.isSafeInteger(cell) && !Object.is(cell, -0)
    ? BigInt(cell)
    : cell;
}
