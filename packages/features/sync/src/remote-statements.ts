/* oxlint-disable typescript/no-unnecessary-type-parameters -- what a row is, the caller says; around the awaited twins' rows a promise hides that from the rule */
import {
  type BulkInsertOptions,
  checkValues,
  deadlineAfter,
  type Dialect,
  durationMs,
  type ExecuteResult,
  isDalError,
  isSql,
  renderSql,
  type Row,
  type Sql,
  type StatementOptions,
  type StreamOptions,
  type SyncQueryable,
  type SyncRowStream,
  throwIfAborted,
  type Values,
} from '@dal/core';
import type { SyncSource } from '@dal/database';
import { carryError, uncarryError } from './carried-error.ts';
import { portableRow, unpackCell, unpackRows } from './carried-values.ts';
import { RowFeed } from './row-feed.ts';
import {
  type Answer,
  type Place,
  type Request,
  sharedNow,
  type StatementVerb,
} from './messages.ts';
import { RemoteStream } from './remote-stream.ts';
import type { SyncThread } from './sync-thread.ts';

type Second = Values | StatementOptions | undefined;

/** Where calls go: something that runs statements in the worker. */
export interface Remote {
  readonly thread: SyncThread;
  readonly place: Place;
}

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
    if (answer.kind !== 'value') throw calledFrom(caughtFrom(answer), this[verb]);
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
      const values = Array.isArray(second) ? checkValues(second, arrays) : second;
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

/** An answer, and who gave it. */
export interface Sent {
  readonly answer: Exclude<Answer, { readonly kind: 'died' }>;
  readonly thread: SyncThread;
}

function caughtFrom(answer: Sent['answer']): unknown {
  try {
    return valueOf(answer);
  } catch (error) {
    return error;
  }
}

/** Where the user called is what the stack has to tell, not the way between the threads. */
function calledFrom(error: unknown, verb: (...args: never[]) => unknown): unknown {
  if (isDalError(error)) Error.captureStackTrace(error, verb);
  return error;
}

/** @throws what the worker answered with; `thrown` when that is what went there before */
export function valueOf(answer: Sent['answer'], thrown?: { readonly error: unknown }): unknown {
  if (answer.kind === 'value') return answer.value;
  if (answer.kind === 'error' && answer.own && thrown) throw thrown.error;
  if (answer.kind === 'error') throw uncarryError(answer.error);
  throw new Error(`The worker asked for ${answer.kind} where a value was expected.`);
}

/**
 * Options as they travel: the timeout as a moment, so that the way counts too. A signal can't fire
 * while its thread stands still; it counts when it was aborted before.
 */
export function travel<
  Options extends { readonly timeoutMs?: number | string; readonly signal?: AbortSignal },
>(
  options: Options,
): {
  readonly timeoutMs: number | undefined;
  readonly parts: { readonly options: Options; readonly endsAt: number | undefined };
} {
  const { timeoutMs: given, signal, ...rest } = options;
  throwIfAborted(deadlineAfter(Infinity, signal), 'The statement');
  const timeoutMs = given === undefined ? undefined : durationMs(given, 'timeoutMs');
  return {
    timeoutMs,
    parts: {
      options: rest as Options,
      endsAt: timeoutMs === undefined ? undefined : sharedNow() + timeoutMs,
    },
  };
}
