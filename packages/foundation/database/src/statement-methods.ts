import {
  type BulkInsertOptions,
  type BulkRows,
  type CallResult,
  type Deadline,
  deadlineAfter,
  type Dialect,
  durationMs,
  type ExecuteResult,
  isSql,
  type NativeAccess,
  type NativeResult,
  type QueryMessage,
  type Queryable,
  type Row,
  RowCountError,
  type RowStream,
  type Schema,
  type Sql,
  type StatementOptions,
  type StreamOptions,
  TooManyRowsError,
  type TransactionMessage,
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
import { type Call, isWatched, watchCall, watchStream } from './watch-call.ts';

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
    return executeResult<R>(await this.#run(statement, second, third));
  }

  async executeMany(
    text: string,
    rows: Iterable<Values> | AsyncIterable<Values>,
    options?: StatementOptions,
  ): Promise<{ readonly affectedRows: number }> {
    const deadline = this.deadline(options);
    const source = new RowSource(rows, deadline, 'executeMany');
    const work = async (message: QueryMessage | undefined): Promise<number> => {
      if ((await source.peek()) === undefined) return 0;
      const whole = { ...deadline, call: message };
      return this.allOrNothing(whole, (on) =>
        executeMany(this.runtime.plans, text, source, options, (statement, call) =>
          on.run(statement, whole, options, call),
        ),
      );
    };
    const call = this.#call(text, 'many', options?.tags);
    return { affectedRows: await this.#fromSource(source, call, work) };
  }

  async bulkInsert(
    table: string | readonly [schema: string, table: string],
    rows: BulkRows,
    options: BulkInsertOptions = {},
  ): Promise<{ readonly affectedRows: number }> {
    const bulk = new BulkInsert(this.runtime, table, rows, options);
    const work = (message: QueryMessage | undefined): Promise<number> =>
      bulk.run((deadline, run) =>
        this.allOrNothing({ ...deadline, call: message }, (on) =>
          run((statement, within, call) =>
            on.run(statement, { ...within, call: message }, undefined, call),
          ),
        ),
      );
    const call = this.#call(bulk.shown, 'bulk');
    return { affectedRows: await this.#fromSource(bulk.source, call, work) };
  }

  stream<R = Row>(
    statement: string | Sql,
    second?: Values | StreamOptions,
    third?: StreamOptions,
  ): RowStream<R> {
    const [values, options] = split(statement, second, third);
    const compiled = compileStatement(this.runtime.plans, statement, values, options);
    const pieces = rowStreamCall<R>(compiled, options);
    return new StatementStream<R>(() => {
      if (!isWatched(this.runtime)) return this.streamPieces(pieces);
      const call = this.#call(compiled.shown, 'stream', options?.tags);
      const open = (message: QueryMessage): AsyncIterable<R[]> =>
        this.streamPieces({ ...pieces, message });
      return watchStream(this.runtime, call, open, countOf);
    });
  }

  get native(): NativeAccess {
    return {
      run: (label, call, options) =>
        this.#watched(
          () => this.#call(label, 'native'),
          (message) => {
            const deadline =
              options?.timeoutMs === Infinity
                ? deadlineAfter(Infinity, options.signal, message)
                : this.deadline(options, message);
            return this.run(layerStatement(label), deadline, undefined, call);
          },
          countsOf,
        ),
      stream: (label, open, options) =>
        this.streamPieces({
          statement: layerStatement(label),
          open,
          timeoutMs: options?.timeoutMs,
          signal: options?.signal,
          message: undefined,
        }),
    };
  }

  /** The transaction that these statements are part of, while somebody listens to transactions. */
  protected get parent(): TransactionMessage | undefined {
    return undefined;
  }

  /** The one moment by which a call must have ended. */
  protected deadline(
    options: Pick<StatementOptions, 'timeoutMs' | 'signal'> | undefined,
    call?: QueryMessage,
  ): Deadline {
    const { timeoutMs, signal } = options ?? {};
    return deadlineAfter(
      timeoutMs === undefined
        ? this.runtime.settings.statementTimeoutMs
        : durationMs(timeoutMs, 'timeoutMs'),
      signal,
      call,
    );
  }

  /** A call that reads rows of the user's: an error of theirs comes out as it went in. */
  async #fromSource(
    source: RowSource<unknown>,
    call: Call,
    work: (message: QueryMessage | undefined) => Promise<number>,
  ): Promise<number> {
    try {
      return await this.#watched(
        () => call,
        work,
        (affectedRows) => ({
          rowCount: 0,
          affectedRows,
          ...(call.kind === 'many' ? { operations: source.count } : {}),
        }),
      );
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
    const compiled = compileStatement(this.runtime.plans, statement, values, options);
    if (!isWatched(this.runtime)) return this.run(compiled, this.deadline(options), options);
    return watchCall(
      this.runtime,
      this.#call(compiled.shown, 'statement', options?.tags),
      (message) => this.run(compiled, this.deadline(options, message), options),
      countsOf,
    );
  }

  #call(statement: string, kind: Call['kind'], tags?: StatementOptions['tags']): Call {
    return { statement, kind, tags, parent: this.parent };
  }

  async #watched<T>(
    call: () => Call,
    work: (message: QueryMessage | undefined) => Promise<T>,
    counts: (answer: T) => CallResult,
  ): Promise<T> {
    return isWatched(this.runtime)
      ? watchCall(this.runtime, call(), work, counts)
      : work(undefined);
  }
}

function executeResult<R>(result: NativeResult): ExecuteResult<R> {
  const { affectedRows, insertId, command, columns, library } = result;
  const rows = result.rows as R[];
  return library === undefined
    ? { rows, affectedRows, insertId, command, columns }
    : { rows, affectedRows, insertId, command, columns, library };
}

function countsOf({ rows, affectedRows }: NativeResult): {
  rowCount: number;
  affectedRows: number;
} {
  return { rowCount: rows.length, affectedRows };
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
