import { onAbort, quoteIdentifier } from '@dal/core';
import type { Line } from './line.ts';
import { mysqlDialect } from './mysql-dialect.ts';
import type { MysqlOptions } from './mysql-options.ts';
import { openLine, type OpenLine } from './open-line.ts';

/** "Unknown database". */
const NO_SUCH_DATABASE = 1049;

/** Opens a line; a database that is missing is made when the options allow that. */
export async function openOrCreate(
  options: MysqlOptions,
  endsAt: number,
  signal?: AbortSignal,
): Promise<OpenLine> {
  try {
    return await openLine(options, endsAt, { signal });
  } catch (error) {
    const { errno } = error as { errno?: unknown };
    if (!options.createIfMissing || errno !== NO_SUCH_DATABASE) throw error;
  }
  await createDatabase(options, endsAt, signal);
  return openLine(options, endsAt, { signal });
}

async function createDatabase(
  options: MysqlOptions,
  endsAt: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { line } = await openLine({ ...options, database: undefined }, endsAt, { signal });
  const stopListening = onAbort(signal, () => line.drop());
  const timer = setTimeout(() => line.drop(), Math.max(0, endsAt - performance.now()));
  try {
    await create(line, options.database as string);
  } finally {
    clearTimeout(timer);
    stopListening();
    line.drop();
  }
}

function create(line: Line, database: string): Promise<void> {
  const name = quoteIdentifier(database, mysqlDialect);
  return new Promise((resolve, reject) => {
    // Others may do the same at the same moment.
    const sql = `CREATE DATABASE IF NOT EXISTS ${name}`;
    line.query({ sql, rowsAsArray: false }, (error) => (error ? reject(error) : resolve()));
  });
}
