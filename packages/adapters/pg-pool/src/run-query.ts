import { type Connection, type Database, libraryError } from '@dal/core';
import type { QueryResult } from './pg-library.ts';
import type { PgQuery } from './pg-query.ts';

/** Runs a query on a connection of its own, with the retries that this allows. */
export async function runOnPool(db: Database, query: PgQuery): Promise<QueryResult> {
  try {
    if (!query.isSeveral) return await execute(db, query);
    await using connection = await db.acquire(query.options);
    return await runOnConnection(connection, query);
  } catch (error) {
    throw libraryError(error);
  }
}

/** Runs a query on the connection of a client. */
export async function runOnConnection(
  connection: Connection,
  query: PgQuery,
): Promise<QueryResult> {
  try {
    // Nobody looks what several statements do to the session: after a look at `raw` it is reset when it
    // comes back, and nothing runs on another one instead.
    if (query.isSeveral) void connection.raw;
    return await execute(connection, query);
  } catch (error) {
    throw libraryError(error);
  }
}

async function execute(
  on: Pick<Connection, 'execute'>,
  { text, values, options }: PgQuery,
): Promise<QueryResult> {
  return (await on.execute(text, values, options)).library as QueryResult;
}

/** The promise, or its outcome by a callback, whose own errors are nobody's but the program's. */
export function answer<T>(
  work: Promise<T>,
  callback: ((error: unknown, result?: T) => void) | undefined,
): Promise<T> | undefined {
  if (callback === undefined) return work;
  work.then(
    (result) => process.nextTick(callback, undefined, result),
    (error: unknown) => process.nextTick(callback, error),
  );
  return undefined;
}
