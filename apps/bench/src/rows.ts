import { deepStrictEqual } from 'node:assert/strict';

/** One row of the tables that are read by key, loaded in bulk and streamed. */
export interface Visitor {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly visits: number;
}

/** One of the thousand rows with eight columns. */
export interface WideVisitor extends Visitor {
  readonly score: number;
  readonly city: string;
  readonly note: string;
  /** A text where the engine has no type for a moment. */
  readonly created: Date | string;
}

/** Rows to choose from by key, and rows of the wide table. */
export const ROWS = 1_000;

export const NARROW = ['id', 'name', 'email', 'visits'] as const;
export const WIDE = [...NARROW, 'score', 'city', 'note', 'created'] as const;

export function visitor(id: number): Visitor {
  return { id, name: `Visitor number ${id}`, email: `visitor-${id}@example.com`, visits: id * 7 };
}

export function wideVisitor(id: number, moments: 'dates' | 'texts'): WideVisitor {
  const created = new Date(Date.UTC(2024, 0, 1) + id * 61_001);
  return {
    ...visitor(id),
    score: id / 8,
    city: `City ${id % 50}`,
    note: `Came by way of the ${id % 2 === 0 ? 'north' : 'south'} gate, and stayed for a while.`,
    created: moments === 'dates' ? created : created.toISOString(),
  };
}

export function visitors(count: number): Visitor[] {
  return Array.from({ length: count }, (_, index) => visitor(index + 1));
}

/** Nobody wins by answering something else. Libraries may have classes of their own for rows. */
export function checkRows(who: string, answer: unknown, expected: readonly object[]): void {
  if (!Array.isArray(answer)) throw new Error(`${who} did not answer a list.`);
  const plain = answer.map((row: object) => ({ ...row }));
  deepStrictEqual(plain, expected, `${who} answered something else`);
}
