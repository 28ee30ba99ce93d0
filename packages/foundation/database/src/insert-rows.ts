import { setImmediate } from 'node:timers/promises';
import { type LoadTarget, quoteIdentifier } from '@dal/core';
import { compileStatement } from './compile-statement.ts';
import type { SendStatement } from './execute-many.ts';
import type { RowSource } from './row-source.ts';
import type { RowValues } from './row-values.ts';
import type { StatementPlans } from './statement-plans.ts';

/** A statement that is longer is not prepared, see statement-plans.ts. */
const MAX_TEXT = 15_000;
const MAX_ROWS = 1_000;
const MAX_BYTES = 1_048_576;

/** INSERT of many rows at a time, in one text for all but the last of them. */
export async function insertRows<T>(
  plans: StatementPlans,
  target: LoadTarget,
  source: RowSource<T>,
  values: RowValues,
  send: SendStatement,
): Promise<number> {
  const { dialect } = plans;
  const insert = `INSERT INTO ${quoteTarget(target, plans)} VALUES `;
  const width = target.columns.length;
  const rowText = dialect.placeholder(dialect.limits.parameters).length * width + 2 * width + 2;
  const rows = Math.max(
    1,
    Math.min(
      MAX_ROWS,
      Math.floor(dialect.limits.parameters / width),
      Math.floor((MAX_TEXT - insert.length) / rowText),
    ),
  );
  let affectedRows = 0;
  for (;;) {
    const batch = await source.batch({ rows, bytes: MAX_BYTES }, (row, index) =>
      values.of(row, index),
    );
    if (batch.length === 0) return affectedRows;
    const text = insert + marks(batch.length, width, dialect.placeholder);
    const statement = compileStatement(plans, text, batch.flat(), { placeholders: 'native' });
    affectedRows += (await send({ ...statement, shown: `${insert}...` })).affectedRows;
    // As in `executeMany`: for drivers that work in this very thread.
    await setImmediate();
  }
}

/** `"schema"."table" ("a", "b")` */
export function quoteTarget({ table, columns }: LoadTarget, { dialect }: StatementPlans): string {
  const quote = (name: string): string => quoteIdentifier(name, dialect);
  return `${table.map(quote).join('.')} (${columns.map(quote).join(', ')})`;
}

/** `($1, $2), ($3, $4)` */
function marks(rows: number, width: number, placeholder: (index: number) => string): string {
  let text = '';
  let index = 0;
  for (let row = 0; row < rows; row++) {
    text += row === 0 ? '(' : ', (';
    for (let column = 0; column < width; column++) {
      text += column === 0 ? placeholder(++index) : `, ${placeholder(++index)}`;
    }
    text += ')';
  }
  return text;
}
