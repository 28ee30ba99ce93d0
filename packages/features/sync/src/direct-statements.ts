/* oxlint-disable typescript/no-unnecessary-type-parameters -- what a row is, the caller says; around the awaited twins' rows a promise hides that from the rule */
import {
  type BulkInsertOptions,
  type Deadline,
  deadlineAfter,
  type Dialect,
  durationMs,
  type ExecuteResult,
  isSql,
  type NativeResult,
  quoteIdentifier,
  type Row,
  RowCountError,
  type Sql,
  type StatementOptions,
  type StreamOptions,
  type SyncQueryable,
  type SyncRowStream,
  TooManyRowsError,
  type Values,
} from '@dal/core';
import { type Compiled, type DirectSession } from './direct-session.ts';

type Second = Values | StatementOptions | undefined;

/** The verbs that databases, connections and transactions share, on a session of this thread. */
export abstract class DirectStatements implements SyncQueryable {
  protected readonly session: DirectSession;

  constructor(session: DirectSession) {
    this.session = session;
  }

  protected abstract run(
    statement: Compiled,
    deadline: Deadline,
    options: StatementOptions,
  ): NativeResult;

  /** All or nothing, for several statements of one call. */
  protected abstract allOrNothing<T>(work: (on: DirectStatements) => T): T;

  get dialect(): Dialect {
    return this.session.source.driver.dialect;
  }

  query<R = Row>(statement: string | Sql, second?: Second, third?: StatementOptions): R[] {
    return this.#run(statement, second, third).rows as R[];
  }

  queryOne<R = Row>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): R | undefined {
    const { rows } = this.#run(statement, second, third);
    if (rows.length > 1) throw tooManyRows(rows.length, 'at most one');
    return rows[0] as R | undefined;
  }

  queryExactlyOne<R = Row>(statement: string | Sql, second?: Second, third?: StatementOptions): R {
    const { rows } = this.#run(statement, second, third);
    if (rows.length > 1) throw tooManyRows(rows.length, 'exactly one');
    if (rows.length === 1) return rows[0] as R;
    throw new RowCountError('The statement gave no row where exactly one was asked for.', {
      code: 'DAL_NO_ROW',
      kind: 'usage',
    });
  }

  queryValue<V = unknown>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): V | undefined {
    const { values, options } = split(statement, second, third);
    const asArray = { ...options, rowMode: 'array' } as const;
    const { rows } = isSql(statement)
      ? this.#run(statement, asArray)
      : this.#run(statement, values, asArray);
    if (rows.length > 1) throw tooManyRows(rows.length, 'at most one');
    return (rows[0] as V[] | undefined)?.[0];
  }

  execute<R = Row>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): ExecuteResult<R> {
    const result = this.#run(statement, second, third);
    const { affectedRows, insertId, command, columns, library } = result;
    const rows = result.rows as R[];
    const told = { rows, affectedRows, insertId, command, columns };
    return library === undefined ? told : { ...told, library };
  }

  executeMany(
    text: string,
    rows: Iterable<Values>,
    options?: StatementOptions,
  ): { readonly affectedRows: number } {
    return this.allOrNothing((on) => {
      let affectedRows = 0;
      for (const values of rows) affectedRows += on.execute(text, values, options).affectedRows;
      return { affectedRows };
    });
  }

  /** The rows are read at once: the session is free for other statements while the loop runs. */
  stream<R = Row>(
    statement: string | Sql,
    second?: Values | StreamOptions,
    third?: StreamOptions,
  ): SyncRowStream<R> {
    const { options } = split(statement, second, third);
    const size = options.batchSize ?? 1_000;
    const read = (): R[] => this.query<R>(statement, second, third);
    function* batches(): Generator<R[], void, undefined> {
      const rows = read();
      for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
    }
    return { [Symbol.iterator]: batches, rows: () => read().values() };
  }

  bulkInsert(
    table: string | readonly [schema: string, table: string],
    rows: Iterable<Readonly<Record<string, unknown>> | Values>,
    options: BulkInsertOptions = {},
  ): { readonly affectedRows: number } {
    const { source } = this.session;
    const { timeoutMs, signal } = options;
    const deadline = deadlineOf(timeoutMs, signal);
    const names = typeof table === 'string' ? [table] : table;
    const quote = (name: string): string => quoteIdentifier(name, this.dialect);
    return this.allOrNothing((on) => {
      let insert: { text: string; values: ReturnType<typeof source.readRows> } | undefined;
      let count = 0;
      let affectedRows = 0;
      for (const row of rows) {
        if (insert === undefined) {
          const values = source.readRows(row, options.columns);
          const { columns } = values;
          const marks = columns.map((_, index) => this.dialect.placeholder(index + 1)).join(', ');
          const text = `INSERT INTO ${names.map(quote).join('.')} (${columns.map(quote).join(', ')}) VALUES (${marks})`;
          insert = { text, values };
        }
        const statement = {
          text: insert.text,
          shown: insert.text,
          values: insert.values.of(row, count++),
        };
        affectedRows += on.run(statement, deadline, {}).affectedRows;
      }
      return { affectedRows };
    });
  }

  #run(statement: string | Sql, second?: Second, third?: StatementOptions): NativeResult {
    const { values, options } = split(statement, second, third);
    const { source } = this.session;
    const compiled = source.compile(statement, values, options);
    return this.run(compiled, deadlineOf(options.timeoutMs, options.signal), options);
  }
}

/** Checked, so that a wrong length is refused here as elsewhere. */
function deadlineOf(timeoutMs: number | string | undefined, signal?: AbortSignal): Deadline {
  return deadlineAfter(
    timeoutMs === undefined ? Infinity : durationMs(timeoutMs, 'timeoutMs'),
    signal,
  );
}

/** `query(text, values, options)` and `query(sql, options)`. */
function split<Options extends StatementOptions>(
  statement: string | Sql,
  second: Values | Options | undefined,
  third: Options | undefined,
): { values: Values | undefined; options: Options } {
  return isSql(statement)
    ? { values: undefined, options: (second ?? {}) as Options }
    : { values: second as Values | undefined, options: third ?? ({} as Options) };
}

function tooManyRows(count: number, wanted: string): TooManyRowsError {
  return new TooManyRowsError(
    `The statement gave ${count} rows where ${wanted} was asked for. Add a LIMIT or a unique condition.`,
    { code: 'DAL_TOO_MANY_ROWS', kind: 'usage' },
  );
}
