import { setImmediate } from 'node:timers/promises';
import { ConfigError, type NativeResult, type StatementOptions, type Values } from '@dal/core';
import { compileStatement, type CompiledStatement, readyValues } from './compile-statement.ts';
import type { RowSource } from './row-source.ts';
import { inRow, inRowOf } from './row-values.ts';
import type { StatementCall } from './run-statement.ts';
import type { StatementPlans } from './statement-plans.ts';

/** Runs one statement inside the open transaction. */
export type SendStatement = (
  statement: CompiledStatement,
  call?: StatementCall,
) => Promise<NativeResult>;

/** Bounds of what is on its way at a time, so that a deadline is never far from its effect. */
const LIMITS = { rows: 500, bytes: 262_144 };

/** The same statement for every row, in order; the first error ends it and says which row it was. */
export async function executeMany(
  plans: StatementPlans,
  text: string,
  source: RowSource<Values>,
  options: StatementOptions | undefined,
  send: SendStatement,
): Promise<number> {
  const first = await source.peek();
  if (first === undefined) return 0;
  const statement = compileFirst(plans, text, first.row, options);
  const width = statement.values.length;
  const valuesOf = (row: Values, index: number): Values => {
    if (!Array.isArray(row) || row.length !== width) throw wrongWidth(row, index, width);
    try {
      return readyValues(row, plans.dialect, options);
    } catch (error) {
      throw inRow(error, index);
    }
  };
  let affectedRows = 0;
  let oneByOne = false;
  for (;;) {
    const before = source.count;
    const rows = await source.batch(LIMITS, valuesOf);
    if (rows.length === 0) return affectedRows;
    if (!oneByOne) {
      const call: StatementCall = (connection, bare) => {
        if (connection.queryMany) return connection.queryMany(bare, rows);
        oneByOne = true;
        return Promise.resolve(NOTHING);
      };
      try {
        affectedRows += (await send(statement, call)).affectedRows;
      } catch (error) {
        throw inRowOf(error, before);
      }
    }
    if (oneByOne) affectedRows += await sendEach(statement, rows, before, send);
  }
}

const NOTHING: NativeResult = { rows: [], columns: [], affectedRows: 0 };

async function sendEach(
  statement: CompiledStatement,
  rows: readonly Values[],
  before: number,
  send: SendStatement,
): Promise<number> {
  let affectedRows = 0;
  for (const [index, values] of rows.entries()) {
    try {
      affectedRows += (await send({ ...statement, values })).affectedRows;
    } catch (error) {
      throw inRow(error, before + index);
    }
  }
  // A driver that works in this very thread never waits: without this, no deadline would fire.
  await setImmediate();
  return affectedRows;
}

function compileFirst(
  plans: StatementPlans,
  text: string,
  row: Values,
  options: StatementOptions | undefined,
): CompiledStatement {
  try {
    return compileStatement(plans, text, row, options);
  } catch (error) {
    throw inRow(error, 0);
  }
}

function wrongWidth(row: unknown, index: number, width: number): ConfigError {
  const what = Array.isArray(row)
    ? `has ${row.length} values where the statement takes ${width}`
    : `is ${row === null ? 'null' : `a ${typeof row}`}, not a list of values`;
  return new ConfigError(`Row ${index + 1} ${what}. Nothing of it stays.`, {
    kind: 'usage',
    code: 'DAL_VALUE_COUNT',
  });
}
