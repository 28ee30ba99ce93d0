import { type ExecuteResult, libraryError, type Queryable, type StatementOptions } from '@dal/core';

/** One statement; fails with the error that Drizzle's own driver would have met. */
export async function run<Row>(
  on: Queryable,
  text: string,
  values: readonly unknown[],
  options: StatementOptions,
): Promise<ExecuteResult<Row>> {
  try {
    return await on.execute<Row>(text, values, options);
  } catch (error) {
    throw libraryError(error);
  }
}
