import { type Connection, type Database, type Isolation, libraryError } from '@dal/core';
import { type SQL, sql } from 'drizzle-orm/sql';
import { queryError } from './internals.ts';

/** A transaction on a connection of its own; its errors are Drizzle's, those of `work` stay as they are. */
export async function inTransaction<T>(
  db: Database,
  begin: (connection: Connection) => Promise<unknown>,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  await using connection = await said('begin', () => db.acquire());
  await said('begin', () => begin(connection));
  let result: T;
  try {
    result = await work(connection);
  } catch (error) {
    // What failed says more than a rollback that fails of the same; a lost session has ended anyway.
    await connection.rollback().catch(() => undefined);
    throw error;
  }
  await said('commit', () => connection.commit());
  return result;
}

/** A part of a transaction that is undone on its own; `say` goes to the session of the transaction. */
export async function inSavepoint<T>(
  name: string,
  say: (statement: SQL) => PromiseLike<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  await say(sql.raw(`savepoint ${name}`));
  try {
    const result = await work();
    await say(sql.raw(`release savepoint ${name}`));
    return result;
  } catch (error) {
    await say(sql.raw(`rollback to savepoint ${name}`));
    throw error;
  }
}

/** Drizzle's words for isolation levels, in the layer's. */
export const ISOLATIONS: Readonly<
  Record<'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable', Isolation>
> = {
  'read uncommitted': 'readUncommitted',
  'read committed': 'readCommitted',
  'repeatable read': 'repeatableRead',
  serializable: 'serializable',
};

async function said<T>(word: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw queryError(word, libraryError(error));
  }
}
