/* oxlint-disable typescript/no-unnecessary-type-parameters -- what a row is, the caller says; around the awaited twins' rows a promise hides that from the rule */
import {
  type BulkInsertOptions,
  checkValues,
  type Dialect,
  type ExecuteResult,
  isSql,
  renderSql,
  type Row,
  type Sql,
  type StatementOptions,
  type StreamOptions,
  type SyncQueryable,
  type SyncRowStream,
  type Values,
} from '@dal/core';
import type { SyncSource } from '@dal/database';
import { carryError } from './carried-error.ts';
import { portableRow, unpackCell, unpackRows } from './carried-values.ts';
import type { Place, Request, StatementVerb } from './messages.ts';
import { errorOf, type Sent, travel, valueOf } from './remote-call.ts';
import { RemoteStream } from './remote-stream.ts';
import { RowFeed } from './row-feed.ts';

type Second = Values | StatementOptions | undefined;

/** The verbs that databases, connections and transactions share, done by their like in the worker. */
export abstract class RemoteStatements implements SyncQueryable {
  protected readonly source: SyncSource;

  constructor(source: SyncSource) {
    this.source = source;
  }

  /** Sends what is made for the place of these statements. @throws when there is none any more */
  protected abstract send(make: (place: Place) => Request, limitMs: number): Sent;

  get dialect(): Dialect {
    return this.source.driver.dialect;
  }

  query<R = Row>(statement: string | Sql, second?: Second, third?: StatementOptions): R[] {
    return this.#statement('query', statement, second, third) as R[];
  }

  queryOne<R = Row>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): R | undefined {
    return this.#statement('queryOne', statement, second, third) as R | undefined;
  }

  queryExactlyOne<R = Row>(statement: string | Sql, second?: Second, third?: StatementOptions): R {
    return this.#statement('queryExactlyOne', statement, second, third) as R;
  }

  queryValue<V = unknown>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): V | undefined {
    return this.#statement('queryValue', statement, second, third) as V | undefined;
  }

  execute<R = Row>(
    statement: string | Sql,
    second?: Second,
    third?: StatementOptions,
  ): ExecuteResult<R> {
    return this.#statement('execute', statement, second, third) as ExecuteResult<R>;
  }

  executeMany(
    text: string,
    rows: Iterable<Values>,
    options: StatementOptions = {},
  ): { readonly affectedRows: number } {
    const { parts, timeoutMs = this.source.statementTimeoutMs } = travel(options);
    return this.#feed(rows, (on) => ({ op: 'executeMany', on, text, ...parts }), timeoutMs);
  }

  stream<R = Row>(
    statement: string | Sql,
    second?: Values | StreamOptions,
    third?: StreamOptions,
  ): SyncRowStream<R> {
    const { text, values, options } = this.#read(statement, second, third);
    return new RemoteStream<R>(() => {
      const travelling = travel(options);
      const limitMs = this.wordsMs + (travelling.timeoutMs ?? 0);
      const { answer, thread } = this.send(
        (on) => ({ op: 'stream', on, text, values, ...travelling.parts }),
        limitMs,
      );
      const stream = valueOf(answer) as Place;
      return (op) => valueOf(thread.ask({ op, stream }, limitMs)) as R[] | undefined;
    });
  }

  bulkInsert(
    table: string | readonly [schema: string, table: string],
    rows: Iterable<Readonly<Record<string, unknown>> | Values>,
    options: BulkInsertOptions = {},
  ): { readonly affectedRows: number } {
    const { parts, timeoutMs = 0 } = travel(options);
    return this.#feed(rows, (on) => ({ op: 'bulkInsert', on, table, ...parts }), timeoutMs);
  }

  /** What a call may take beyond its own timeout: waiting for a connection, BEGIN, COMMIT, ROLLBACK. */
  protected get wordsMs(): number {
    const { acquireTimeoutMs, statementTimeoutMs, retry } = this.source;
    return acquireTimeoutMs + 3 * statementTimeoutMs + retry.maxDelayMs;
  }

  /** A call that reads rows while it runs; each time it wants some, it asks for them. */
  #feed(
    rows: Iterable<unknown>,
    make: (place: Place) => Request,
    timeoutMs: number,
  ): { readonly affectedRows: number } {
    const limitMs = this.wordsMs + timeoutMs;
    const source = new RowFeed(rows);
    let thrown: { readonly error: unknown } | undefined;
    try {
      let { answer, thread } = this.send(make, limitMs);
      while (answer.kind === 'rows') {
        let next: readonly unknown[] | undefined;
        try {
          next = source.next();
        } catch (error) {
          thrown = { error };
        }
        const failure = thrown && carryError(thrown.error);
        answer = thread.ask({ op: 'feed', scope: answer.scope, rows: next, failure }, limitMs);
      }
      return valueOf(answer, thrown) as { readonly affectedRows: number };
    } finally {
      source.end();
    }
  }

  #statement(
    verb: StatementVerb,
    statement: string | Sql,
    second: Second,
    third: StatementOptions | undefined,
  ): unknown {
    const { text, values, options } = this.#read(statement, second, third);
    const travelling = travel(options);
    const { answer } = this.send(
      (on) => ({ op: 'statement', verb, on, text, values, ...travelling.parts }),
      travelling.timeoutMs ?? this.source.statementTimeoutMs,
    );
    if (answer.kind !== 'value') throw errorOf(answer, this[verb]);
    const { value, bytes } = answer;
    if (!bytes) return value;
    switch (verb) {
      case 'query':
        unpackRows(value as unknown[]);
        return value;
      case 'execute':
        unpackRows((value as ExecuteResult).rows);
        return value;
      case 'queryValue':
        return unpackCell(value);
      default:
        unpackRows([value]);
        return value;
    }
  }

  /** Templates and `json()` are objects of this thread; they travel as text and values. */
  #read<Options extends StatementOptions>(
    statement: string | Sql,
    second: Values | Options | undefined,
    third: Options | undefined,
  ): { text: string; values: unknown; options: Options } {
    const { dialect } = this;
    const arrays = dialect.arrays === true;
    if (!isSql(statement)) {
      // What the library takes is judged by the library, on the other side.
      const isChecked = third?.mapping !== 'library' && Array.isArray(second);
      const values = isChecked ? checkValues(second, arrays) : second;
      return {
        text: statement,
        values: portableRow(values, 0),
        options: third ?? ({} as Options),
      };
    }
    const { text, values } = renderSql(statement, dialect);
    return {
      text,
      values: portableRow(checkValues(values, arrays), 0),
      options: { ...(second as Options | undefined), placeholders: 'native' } as Options,
    };
  }
}
