import { Column, is } from 'drizzle-orm';
import type { SelectedFields } from './internals.ts';

/** Ids that Drizzle made up before an INSERT, one for each row. */
export type GeneratedIds = Record<string, unknown>[] | undefined;

/**
 * The ids of the rows that an INSERT made, for `$returningId()`: those that Drizzle made up, else those
 * that the server counted up from the first one on.
 */
export function returnedIds(
  header: unknown,
  fields: NonNullable<SelectedFields>,
  generated: GeneratedIds,
): Record<string, unknown>[] {
  const { insertId, affectedRows } = header as { insertId: number; affectedRows: number };
  const ids: Record<string, unknown>[] = [];
  // Drizzle names all of them by the first one.
  const key = fields[0]?.path[0] ?? '';
  for (let row = 0; row < affectedRows; row++) {
    for (const { field } of fields) {
      if (!is(field, Column)) continue;
      const { primary, defaultFn } = field;
      const countsUp = (field as { autoIncrement?: boolean }).autoIncrement;
      if (primary && countsUp) ids.push({ [key]: insertId + row });
      if (defaultFn && generated) ids.push({ [key]: generated[row]?.[key] });
    }
  }
  return ids;
}
