import type { ExecuteResult } from '@dal/core';
import type { KnexStatement } from './statement.ts';

type Answer = Pick<KnexStatement, 'response' | 'context'>;

/** By `dialect` of Knex's client: what its driver would have answered. */
const answers: Readonly<Record<string, (result: ExecuteResult) => Answer>> = {
  mysql: ({ library, rows, columns, affectedRows, insertId }) => ({
    response: library ?? [
      columns.length > 0 ? rows : { affectedRows, insertId: insertId ?? 0 },
      columns,
    ],
  }),
  sqlite3: ({ library, rows, columns, affectedRows, insertId }) => {
    if (columns.length > 0) return { response: rows };
    const response = (library ?? {
      changes: affectedRows,
      lastInsertRowid: insertId ?? 0,
    }) as RunResult;
    const { changes, lastInsertRowid: lastID } = response;
    return { response, context: { lastID, changes } };
  },
};

export function answerFor(dialect: string, result: ExecuteResult): Answer {
  return (answers[dialect] ?? likePostgres)(result);
}

function likePostgres({ library, rows, columns, affectedRows, command }: ExecuteResult): Answer {
  const isRead = columns.length > 0 && affectedRows === 0;
  return {
    response: library ?? {
      command,
      rowCount: isRead ? rows.length : affectedRows,
      rows,
      fields: columns,
    },
  };
}

/** What better-sqlite3 says of a change. */
interface RunResult {
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}
