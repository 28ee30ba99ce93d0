/** One engine, set up and open, with everybody who is going to read from it. */
export interface Stage extends AsyncDisposable {
  /** What runs here: server and libraries with their versions. */
  readonly versions: string;
  /** DAL's ways to read. */
  readonly ours: readonly Contender[];
  /** The same read with the engine's library alone. */
  readonly raw: readonly Contender[];
}

export interface Contender {
  readonly name: string;
  /**
   * The row with this id. `caller` tells callers apart, for those who have a connection each; a
   * library that answers at once gives the row itself.
   */
  readonly read: (id: number, caller: number) => unknown;
}

/** Callers at the most, and connections in every pool. */
export const MOST_CALLERS = 20;
export const ROWS = 1_000;

/** Chosen so that libraries agree on how each column arrives without being told. */
export const COLUMNS = 'id INT PRIMARY KEY, name VARCHAR(60), email VARCHAR(80), visits INT';
export const SELECTED = 'id, name, email, visits';

export interface BenchRow {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly visits: number;
}

export function benchRow(id: number): BenchRow {
  return { id, name: `Visitor number ${id}`, email: `visitor-${id}@example.com`, visits: id * 7 };
}

export function benchValues(): readonly (readonly unknown[])[] {
  return Array.from({ length: ROWS }, (_, index) => Object.values(benchRow(index + 1)));
}
