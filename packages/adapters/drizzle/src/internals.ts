import { DrizzleQueryError } from 'drizzle-orm/errors';
import * as utils from 'drizzle-orm/utils';

// What Drizzle's own drivers use and its type declarations leave out (drizzle-orm 0.45).

/** A column of the result and where its value goes, as the query builders give it. */
interface SelectedField {
  readonly path: string[];
  readonly field: unknown;
}

export type SelectedFields = readonly SelectedField[] | undefined;

export type ResultMapper = ((rows: unknown[][]) => unknown) | undefined;

/** How the answer of a query is read. */
export interface Reading {
  readonly fields: SelectedFields;
  readonly mapper: ResultMapper;
}

/** What a query touches, for the cache. */
export type QueryMetadata =
  | { type: 'select' | 'update' | 'delete' | 'insert'; tables: string[] }
  | undefined;

/** What the three base classes of prepared queries have besides. */
interface PreparedInternals {
  readonly joinsNotNullableMap?: Record<string, boolean>;
  /** Asks the cache, if there is one, and gives errors the form `DrizzleQueryError`. */
  queryWithCache<T>(text: string, values: unknown[], run: () => Promise<T>): Promise<T>;
}

export function internalsOf(prepared: object): PreparedInternals {
  return prepared as PreparedInternals;
}

const { mapResultRow } = utils as unknown as {
  mapResultRow(
    fields: SelectedFields,
    row: unknown[],
    joinsNotNullableMap: Record<string, boolean> | undefined,
  ): unknown;
};

/** Rows as arrays become what the query builder promised. */
export function mapRows(
  prepared: object,
  rows: unknown[][],
  fields: SelectedFields,
  mapper: ResultMapper,
): unknown {
  if (mapper) return mapper(rows);
  const { joinsNotNullableMap } = internalsOf(prepared);
  return rows.map((row) => mapResultRow(fields, row, joinsNotNullableMap));
}

/** An error of a statement that no prepared query stands for, in Drizzle's form. */
export function queryError(text: string, cause: unknown): DrizzleQueryError {
  return new DrizzleQueryError(text, [], cause as Error);
}
