import {
  type LoadBatch,
  type LoadTarget,
  type NativeResult,
  type NativeStatement,
  quoteIdentifier,
} from '@dal/core';
import { copyText } from './copy-text.ts';
import { postgresDialect } from './postgres-dialect.ts';

/** What a session does for a load. */
export interface LoadSession {
  query(statement: NativeStatement): Promise<NativeResult>;
  copyIn(text: string, chunks: AsyncGenerator<Buffer>): Promise<NativeResult>;
}

/** Rows into a table by COPY; answers how many. */
export async function loadRows(
  session: LoadSession,
  { table, columns }: LoadTarget,
  batches: AsyncIterable<LoadBatch>,
): Promise<number> {
  const quote = (name: string): string => quoteIdentifier(name, postgresDialect);
  const name = table.map(quote).join('.');
  await refuseWhatNeedsInsert(session, name);
  const text = `COPY ${name} (${columns.map(quote).join(', ')}) FROM STDIN`;
  try {
    return (await session.copyIn(text, copyText(batches))).affectedRows;
  } catch (error) {
    throw noteRow(error);
  }
}

/**
 * COPY takes no view, and no table whose policies for rows hold for this user. Asked before, because
 * its own refusal comes when the first rows are on their way already.
 */
async function refuseWhatNeedsInsert(session: LoadSession, name: string): Promise<void> {
  const { rows } = await session.query({
    text: `SELECT relkind = 'v' OR row_security_active(oid) FROM pg_class WHERE oid = to_regclass($1)`,
    values: [name],
    rowMode: 'array',
  });
  if ((rows as boolean[][])[0]?.[0] !== true) return;
  throw Object.assign(new Error(`${name} can only be filled by INSERT.`), { loadRefused: true });
}

/** The server counts lines from 1, and a row is a line here. */
function noteRow(error: unknown): unknown {
  const { where } = error as { where?: unknown };
  const line = typeof where === 'string' ? /, line (\d+)(?:,|:|$)/m.exec(where)?.[1] : undefined;
  return line === undefined ? error : Object.assign(error as Error, { rowIndex: Number(line) - 1 });
}
