import type { ExecuteResult } from '@dal/core';
import type { QueryResult } from './kysely.ts';

/** What Kysely's own driver of the engine makes of an answer. */
export function toQueryResult<R>(engine: string, result: ExecuteResult<R>): QueryResult<R> {
  return (answers[engine] ?? likeSqlite)(result) as QueryResult<R>;
}

const answers: Readonly<Record<string, (result: ExecuteResult<unknown>) => QueryResult<unknown>>> =
  { postgres: likePostgres, mysql: likeMysql };

const CHANGES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

function likePostgres({
  rows,
  affectedRows,
  command,
}: ExecuteResult<unknown>): QueryResult<unknown> {
  if (command === 'COMMIT' || command === 'ROLLBACK') return { rows: [{ command }] };
  if (command === undefined || !CHANGES.has(command)) return { rows };
  return { numAffectedRows: BigInt(affectedRows), rows };
}

function likeMysql(result: ExecuteResult<unknown>): QueryResult<unknown> {
  const { rows, columns, affectedRows, insertId, library } = result;
  if (columns.length > 0) return { rows };
  const [header] = (library ?? []) as readonly [{ readonly changedRows?: number }?];
  return {
    ...idOf(insertId),
    numAffectedRows: BigInt(affectedRows),
    ...(header?.changedRows === undefined ? {} : { numChangedRows: BigInt(header.changedRows) }),
    rows: [],
  };
}

function likeSqlite(result: ExecuteResult<unknown>): QueryResult<unknown> {
  const { rows, columns, affectedRows, library } = result;
  if (columns.length > 0) return { rows };
  // The last id of the session, whatever this statement was.
  const { lastInsertRowid: insertId = result.insertId } = (library ?? {}) as RunResult;
  return { ...idOf(insertId), numAffectedRows: BigInt(affectedRows), rows: [] };
}

interface RunResult {
  readonly lastInsertRowid?: number | bigint;
}

function idOf(insertId: number | bigint | undefined): { readonly insertId?: bigint } {
  return insertId === undefined ? {} : { insertId: BigInt(insertId) };
}
