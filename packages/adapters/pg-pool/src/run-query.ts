import { type Connection, type Database, libraryError, type NativeResult } from '@dal/core';
import type { QueryResult } from './pg-library.ts';
import type { PgQuery } from './pg-query.ts';

/** Runs a query on a connection of its own, with the retries that this allows. */
export async function runOnPool(db: Database, query: PgQuery): Promise<QueryResult> {
  try {
    if (!query.isSeveral) return await execute(db, query);
    await using connection = await db.acquire(query.options);
    return await executeSeveral(connection, query);
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
    return await (query.isSeveral ? executeSeveral(connection, query) : execute(connection, query));
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

async function executeSeveral(connection: Connection, query: PgQuery): Promise<QueryResult> {
  const { text, values, options } = query;
  const { mapping, rowMode, libraryOptions, timeoutMs, signal } = options;
  // Nobody looks what the statements do to the session, so it is reset when it comes back.
  void connection.raw;
  const statement = {
    text,
    values,
    mapping: mapping === 'library' ? mapping : undefined,
    rowMode: rowMode === 'array' ? rowMode : undefined,
    libraryOptions,
  };
  const result: NativeResult = await connection.native.run(
    text,
    (session) => session.query(statement),
    { ...(timeoutMs ? { timeoutMs } : {}), ...(signal ? { signal } : {}) },
  );
  return result.library as QueryResult;
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
