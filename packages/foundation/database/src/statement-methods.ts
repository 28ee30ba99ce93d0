import {
  type BulkInsertOptions,
  type BulkRows,
  type Deadline,
  deadlineAfter,
  type Dialect,
  durationMs,
  type ExecuteResult,
  isSql,
  type NativeAccess,
  type NativeResult,
  type Queryable,
  type Row,
  RowCountError,
  type RowStream,
  type Schema,
  type Sql,
  type StatementOptions,
  type StreamOptions,
  TooManyRowsError,
  type Values,
} from '@dal/core';
import { BulkInsert } from './bulk-insert.ts';
import { compileStatement, type CompiledStatement, layerStatement } from './compile-statement.ts';
import { executeMany } from './execute-many.ts';
import { RowSource } from './row-source.ts';
import { StatementStream } from './row-stream.ts';
import type { StatementCall } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { CatalogReader } from './schema.ts';
import { rowStreamCall, type StreamCall } from './stream-statement.ts';
import { toDalError } from './to-dal-error.ts';
import { watchCall, watchStream } from './watch-call.ts';

type Second = Values | StatementOptions | undefined;

/** The verbs that a database, a connection and a transaction share; each says how a statement runs. */
export abstract class StatementMethods implements Queryable {
  protected readonly runtime: Runtime;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  protected abstract run(
    statement: CompiledStatement,
    deadline: Deadline,
    options: StatementOptions | undefined,
    /** What is asked of the driver instead of `query`; not repeated then. */
    call?: StatementCall,
  ): Promise<NativeResult>;

  /** Nothing is sent before the first piece is asked for. */
  protected abstract streamPieces<T>(call: StreamCall<T>): AsyncGenerator<T, void, undefined>;

  /** All or nothing, for several statements of one call. */
  protected abstract allOrNothing<T>(
    deadline: Deadline,
    work: (on: StatementMethods) => Promise<T>,
  ): Promise<T>;

  get dialect(): Dialect {
    return this.runtime.driver.dialect;
  }

  get schema(): Schema {
    return new CatalogReader(this);
  }

  async query<R = Row>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): Promise<R[]> {
    return (await this.#run(statement, second, third)).rows as R[];
  }

  async queryOne<R = Row>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): Promise<R | undefined> {
    const { rows } = await this.#run(statement, second, third);
    if (rows.length > 1) throw tooManyRows(rows.length, 'at most one');
    return rows[0] as R | undefined;
  }

  async queryExactlyOne<R = Row>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): Promise<R> {
    const { rows } = await this.#run(statement, second, third);
    if (rows.length > 1) throw tooManyRows(rows.length, 'exactly one');
    if (rows.length === 0) {
      throw new RowCountError('The statement gave no row where exactly one was asked for.', {
        code: 'DAL_NO_ROW',
        kind: 'usage',
      });
    }
    return rows[0] as R;
  }

  async queryValue<V = unknown>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): Promise<V | undefined> {
    const options = isSql(statement) ? (second as StatementOptions | undefined) : third;
    const asArray = { ...options, rowMode: 'array' } as const;
    const { rows } = isSql(statement)
      ? await this.#run(statement, asArray, undefined)
      : await this.#run(statement, second, asArray);
    if (rows.length > 1) throw tooManyRows(rows.length, 'at most one');
    return (rows[0] as V[] | undefined)?.[0];
  }

  async execute<R = Row>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): Promise<ExecuteResult<R>> {
    const { rows, affectedRows, insertId, command, columns } = await this.#run(
      statement,
      second,
      third,
    );
    return { rows: rows as R[], affectedRows, insertId, command, columns };
  }

  async executeMany(
    text: string,
    rows: Iterable<Values> | AsyncIterable<Values>,
    options?: StatementOptions,
  ): Promise<{ readonly affectedRows: number }> {
    const deadline = this.deadline(options);
    const source = new RowSource(rows, deadline, 'executeMany');
    const work = async (): Promise<number> => {
      if ((await source.peek()) === undefined) return 0;
      return this.allOrNothing(deadline, (on) =>
        executeMany(this.runtime.plans, text, source, options, (statement, call) =>
          on.run(statement, deadline, options, call),
        ),
      );
    };
    return { affectedRows: await this.#fromSource(source, text, options?.tags, work) };
  }

  async bulkInsert(
    table: string | readonly [schema: string, table: string],
    rows: BulkRows,
    options: BulkInsertOptions = {},
  ): Promise<{ readonly affectedRows: number }> {
    const bulk = new BulkInsert(this.runtime, table, rows, options);
    const work = (): Promise<number> =>
      bulk.run((deadline, run) =>
        this.allOrNothing(deadline, (on) =>
          run((statement, within, call) => on.run(statement, within, undefined, call)),
        ),
      );
    return { affectedRows: await this.#fromSource(bulk.source, bulk.shown, undefined, work) };
  }

  stream<R = Row>(
    statement: string | Sql,
    second?: Values | StreamOptions,
    third?: StreamOptions,
  ): RowStream<R> {
    const [values, options] = split(statement, second, third);
    const compiled = compileStatement(this.runtime.plans, statement, values, options);
    const call = rowStreamCall<R>(compiled, options);
    return new StatementStream<R>(() =>
      this.runtime.hooks.watched
        ? watchStream(this.runtime, compiled.shown, options?.tags, this.streamPieces(call), countOf)
        : this.streamPieces(call),
    );
  }

  get native(): NativeAccess {
    return {
      run: (label, call, options) =>
        watchCall(
          this.runtime,
          label,
          undefined,
          () => {
            const deadline =
              options?.timeoutMs === Infinity
                ? deadlineAfter(Infinity, options.signal)
                : this.deadline(options);
            return this.run(layerStatement(label), deadline, undefined, call);
          },
          ({ rows, affectedRows }) => ({ rowCount: rows.length, affectedRows }),
        ),
      stream: (label, open, options) =>
        this.streamPieces({
          statement: layerStatement(label),
          open,
          timeoutMs: options?.timeoutMs,
          signal: options?.signal,
        }),
    };
  }

  /** The one moment by which a call must have ended. */
  protected deadline(
    options: Pick<StatementOptions, 'timeoutMs' | 'signal'> | undefined,
  ): Deadline {
    const { timeoutMs, signal } = options ?? {};
    return deadlineAfter(
      timeoutMs === undefined
        ? this.runtime.settings.statementTimeoutMs
        : durationMs(timeoutMs, 'timeoutMs'),
      signal,
    );
  }

  /** A call that reads rows of the user's: an error of theirs comes out as it went in. */
  async #fromSource(
    source: RowSource<unknown>,
    shown: string,
    tags: StatementOptions['tags'],
    work: () => Promise<number>,
  ): Promise<number> {
    const countsOf = (affectedRows: number) => ({ rowCount: 0, affectedRows });
    try {
      return await watchCall(this.runtime, shown, tags, work, countsOf);
    } catch (error) {
      if (source.failure) throw source.failure.error;
      throw error;
    } finally {
      await source.close();
    }
  }

  /** @throws ConfigError; its callers are async, so their promises reject with it */
  #run(
    statement: string | Sql,
    second: Second,
    third: StatementOptions | undefined,
  ): Promise<NativeResult> {
    const [values, options] = split(statement, second, third);
    const { plans, hooks } = this.runtime;
    const compiled = compileStatement(plans, statement, values, options);
    const deadline = this.deadline(options);
    if (hooks.watched) return this.#runWatched(compiled, deadline, options);
    return this.run(compiled, deadline, options);
  }

  async #runWatched(
    compiled: CompiledStatement,
    deadline: Deadline,
    options: StatementOptions | undefined,
  ): Promise<NativeResult> {
    const { hooks, name, driver } = this.runtime;
    const event = { database: name, statement: compiled.shown, tags: options?.tags };
    hooks.emit('query:before', event);
    const since = (): number => performance.now() - deadline.startedAt;
    try {
      const result = await this.run(compiled, deadline, options);
      const { rows, affectedRows } = result;
      hooks.emit('query:after', {
        ...event,
        durationMs: since(),
        rowCount: rows.length,
        affectedRows,
      });
      return result;
    } catch (thrown) {
      const error = toDalError(driver, name, thrown, compiled.shown);
      hooks.emit('query:error', { ...event, durationMs: since(), error });
      throw error;
    }
  }
}

/** `query(text, values, options)` and `query(sql, options)`. */
function split<Options extends StatementOptions>(
  statement: string | Sql,
  second: Values | Options | undefined,
  third: Options | undefined,
): [Values | undefined, Options | undefined] {
  return isSql(statement)
    ? [undefined, second as Options | undefined]
    : [second as Values | undefined, third];
}

function countOf(batch: readonly unknown[]): number {
  return batch.length;
}

function tooManyRows(count: number, wanted: string): TooManyRowsError {
  return new TooManyRowsError(
    `The statement gave ${count} rows where ${wanted} was asked for. Add a LIMIT or a unique condition.`,
    { code: 'DAL_TOO_MANY_ROWS', kind: 'usage' },
  );
}
