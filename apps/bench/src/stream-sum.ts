import type { Visitor } from './rows.ts';

/** What a stream is held to: every row, and every value touched. */
export interface StreamSum {
  readonly rows: number;
  /** Of the column `visits`. */
  readonly sum: number;
}

export async function sumOf(
  batches: AsyncIterable<readonly Visitor[]> | Iterable<readonly Visitor[]>,
): Promise<StreamSum> {
  let rows = 0;
  let sum = 0;
  for await (const batch of batches) {
    rows += batch.length;
    for (const { visits } of batch) sum += visits;
  }
  return { rows, sum };
}

/** Of the rows from 1 to `count`. */
export function expectedSum(count: number): StreamSum {
  return { rows: count, sum: (7 * count * (count + 1)) / 2 };
}
