import { setImmediate } from 'node:timers/promises';
import {
  type BulkInsertOptions,
  type BulkRows,
  checkIdentifier,
  ConfigError,
  type Deadline,
  deadlineAfter,
  durationMs,
  isDalError,
  type LoadBatch,
  type LoadTarget,
  type NativeResult,
} from '@dal/core';
import { type CompiledStatement, layerStatement } from './compile-statement.ts';
import { insertRows, quoteTarget } from './insert-rows.ts';
import { Pace } from './pace.ts';
import { RowSource } from './row-source.ts';
import { inRowOf, RowValues } from './row-values.ts';
import type { StatementCall } from './run-statement.ts';
import type { Runtime } from './runtime.ts';

type Table = string | readonly [schema: string, table: string];

/** Runs a statement inside the open transaction, by a deadline. */
export type SendWithin = (
  statement: CompiledStatement,
  deadline: Deadline,
  call?: StatementCall,
) => Promise<NativeResult>;

/** Runs work in a transaction or savepoint of its own. */
export type AllOrNothing = (
  deadline: Deadline,
  work: (send: SendWithin) => Promise<number>,
) => Promise<number>;

/** What a driver's `load` may be handed at a time. */
const LOAD_LIMITS = { rows: 1_000, bytes: 262_144 };

/** Rows into a table: by the driver's own way, or by INSERT of many rows at a time. */
export class BulkInsert {
  readonly source: RowSource<unknown>;
  readonly #runtime: Runtime;
  readonly #table: readonly string[];
  readonly #columns: readonly string[] | undefined;
  readonly #deadline: Deadline;

  /** @throws ConfigError; nothing was asked of the rows then */
  constructor(runtime: Runtime, table: Table, rows: BulkRows, options: BulkInsertOptions) {
    const { columns, timeoutMs, signal } = options;
    this.#runtime = runtime;
    this.#table = namesOf(table);
    this.#columns = columns;
    checkRows(rows);
    const length = timeoutMs === undefined ? Infinity : durationMs(timeoutMs, 'timeoutMs');
    this.#deadline = deadlineAfter(length, signal);
    this.source = new RowSource<unknown>(rows, this.#deadline, 'bulkInsert');
  }

  /** For messages. */
  get shown(): string {
    return `bulkInsert into ${this.#table.join('.')}`;
  }

  /** @returns how many rows were inserted; without any the server isn't asked at all */
  async run(allOrNothing: AllOrNothing): Promise<number> {
    const first = await this.source.peek();
    if (first === undefined) return 0;
    const values = new RowValues(first.row, this.#columns, this.#runtime.driver.dialect);
    const bulk: Bulk = {
      runtime: this.#runtime,
      target: { table: this.#table, columns: values.columns },
      source: this.source,
      values,
      deadline: this.#deadline,
    };
    return loadOrInsert(bulk, allOrNothing);
  }
}

interface Bulk {
  readonly runtime: Runtime;
  readonly target: LoadTarget;
  readonly source: RowSource<unknown>;
  readonly values: RowValues;
  readonly deadline: Deadline;
}

async function loadOrInsert(bulk: Bulk, allOrNothing: AllOrNothing): Promise<number> {
  const { deadline, source } = bulk;
  try {
    return await allOrNothing(
      deadline,
      async (send) => (await load(bulk, send)) ?? insert(bulk, send),
    );
  } catch (error) {
    // The refusal has ended the transaction of this attempt, so INSERT begins with one of its own.
    if (source.count > 0 || !refusesLoad(error)) throw error;
    return allOrNothing(deadline, (send) => insert(bulk, send));
  }
}

/** @returns the number of rows, or undefined when the driver has no way of its own */
async function load(
  { runtime, target, source, values, deadline }: Bulk,
  send: SendWithin,
): Promise<number | undefined> {
  const pace = new Pace(runtime, deadline);
  let has = true;
  const call: StatementCall = async (connection) => {
    has = connection.load !== undefined;
    const affectedRows = (await connection.load?.(target, batches(source, values, pace))) ?? 0;
    return { rows: [], columns: [], affectedRows };
  };
  const statement = layerStatement(`bulkInsert into ${quoteTarget(target, runtime.plans)}`);
  try {
    const { affectedRows } = await send(statement, pace.deadline, call);
    return has ? affectedRows : undefined;
  } catch (error) {
    throw pace.tooSlow ?? inRowOf(error, 0);
  } finally {
    pace.end();
  }
}

async function* batches(
  source: RowSource<unknown>,
  values: RowValues,
  pace: Pace,
): AsyncGenerator<LoadBatch, void, undefined> {
  for (;;) {
    pace.rest();
    const batch = await source.batch(LOAD_LIMITS, (row, index) => values.of(row, index));
    pace.work();
    if (batch.length === 0) return;
    yield batch;
    // A source that never waits, and a line that takes all at once, would keep the loop of events
    // from turning: no deadline and no error of the server would be heard.
    await setImmediate();
  }
}

function insert(
  { runtime, target, source, values, deadline }: Bulk,
  send: SendWithin,
): Promise<number> {
  const { statementTimeoutMs } = runtime.settings;
  return insertRows(runtime.plans, target, source, values, (statement) => {
    const own = deadlineAfter(statementTimeoutMs, deadline.signal);
    return send(statement, deadline.at === Infinity ? own : deadline);
  });
}

function refusesLoad(error: unknown): boolean {
  // A driver's own error stands behind the layer's.
  const causes = isDalError(error) ? [error, error.cause] : [error];
  return causes.some((cause) => (cause as { loadRefused?: unknown } | null)?.loadRefused === true);
}

function namesOf(table: Table): readonly string[] {
  const names = typeof table === 'string' ? [table] : table;
  if (!Array.isArray(names) || names.length === 0 || names.length > 2) {
    throw new ConfigError(
      'The table is a name, or a schema and a name: ["audit", "events"]. Nothing was sent.',
      { kind: 'usage', code: 'DAL_IDENTIFIER' },
    );
  }
  for (const name of names) checkIdentifier(name);
  return names;
}

function checkRows(rows: unknown): void {
  if (
    typeof rows === 'object' &&
    rows !== null &&
    (Symbol.iterator in rows || Symbol.asyncIterator in rows)
  ) {
    return;
  }
  throw new ConfigError(
    'bulkInsert takes a list, an iterable or an async iterable of rows. Nothing was sent.',
    { kind: 'usage', code: 'DAL_VALUE' },
  );
}
