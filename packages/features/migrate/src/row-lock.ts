import {
  type Connection,
  type Database,
  type HeldLock,
  isDalError,
  quoteIdentifier,
  type SessionLock,
} from '@dal/core';

/** How long one attempt may hang in the database. */
const ATTEMPT_TIMEOUT_MS = 2_000;
/** What "somebody else has the row" is called, from engine to engine. */
const taken = new Set(['lockTimeout', 'statementTimeout', 'serialization', 'deadlock']);

/**
 * The lock for engines that have none for sessions: a row that a transaction of a second connection
 * has changed and keeps. It ends with that connection.
 */
export function rowLock(db: Database): SessionLock {
  return {
    async take(_session, name): Promise<HeldLock | undefined> {
      const holder = await db.acquire();
      try {
        const table = quoteIdentifier(`${name}_lock`, db.dialect);
        await prepare(holder, table);
        await holder.begin();
        await holder.execute(`UPDATE ${table} SET turn = turn + 1 WHERE id = 1`, [], {
          timeoutMs: ATTEMPT_TIMEOUT_MS,
        });
      } catch (error) {
        await holder.destroy();
        if (isDalError(error) && taken.has(error.kind)) return undefined;
        throw error;
      }
      return heldBy(holder);
    },
  };
}

function heldBy(holder: Connection): HeldLock {
  return {
    async isHeld() {
      try {
        await holder.query(holder.dialect.ping);
        return holder.inTransaction;
      } catch {
        return false;
      }
    },
    async release() {
      // Its transaction must not be committed, and is gone with it.
      await holder.destroy();
    },
  };
}

async function prepare(holder: Connection, table: string): Promise<void> {
  const { types } = holder.dialect;
  if ((await rowsIn(holder, table)) === 1) return;
  for (const statement of [
    `CREATE TABLE ${table} (id ${types.integer} NOT NULL PRIMARY KEY, turn ${types.integer} NOT NULL)`,
    `INSERT INTO ${table} (id, turn) VALUES (1, 0)`,
  ]) {
    try {
      await holder.execute(statement);
    } catch (error) {
      // Another process was faster with the same.
      if ((await rowsIn(holder, table)) === undefined) throw error;
    }
  }
}

async function rowsIn(holder: Connection, table: string): Promise<number | undefined> {
  try {
    return Number(await holder.queryValue(`SELECT COUNT(*) FROM ${table}`));
  } catch (error) {
    if (isDalError(error) && error.kind === 'schema') return undefined;
    throw error;
  }
}
