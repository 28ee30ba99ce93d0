import type {
  ExecuteResult,
  Queryable,
  Row,
  Sql,
  StatementOptions,
  SyncQueryable,
  TransactionOptions,
  Values,
} from '@dal/core';
import { EntityError } from './entity-errors.ts';

/**
 * What a verb does, written once for both worlds: it yields what is to be done next, as data, and is
 * handed the answer.
 */
export type Work<T> = Generator<Step, T, unknown>;

export type Step =
  | { readonly do: 'execute'; readonly statement: Statement; readonly options?: StatementOptions }
  | {
      readonly do: 'transaction';
      readonly work: () => Work<unknown>;
      readonly options?: TransactionOptions;
    }
  | {
      readonly do: 'load';
      readonly table: string;
      readonly columns: readonly string[];
      readonly rows: readonly Values[];
      readonly options?: StatementOptions;
    }
  | { readonly do: 'pause'; readonly ms: number }
  /** For code of the user's that may be asynchronous. */
  | { readonly do: 'settle'; readonly value: unknown };

export type Statement = Sql | { readonly text: string; readonly values: Values };

export function* execute<R = Row>(
  statement: Statement,
  options?: StatementOptions,
): Work<ExecuteResult<R>> {
  return (yield { do: 'execute', statement, ...(options && { options }) }) as ExecuteResult<R>;
}

export function* rowsOf<R = Row>(statement: Statement, options?: StatementOptions): Work<R[]> {
  return (yield* execute<R>(statement, options)).rows;
}

/** A transaction, or a savepoint where one is open. */
export function* transaction<T>(work: () => Work<T>, options?: TransactionOptions): Work<T> {
  return (yield { do: 'transaction', work, ...(options && { options }) }) as T;
}

export async function runAwaited<T>(work: Work<T>, on: Queryable): Promise<T> {
  let next = work.next();
  while (!next.done) {
    let answer: unknown;
    try {
      answer = await perform(next.value, on, runAwaited, pauseAwaited);
    } catch (error) {
      next = work.throw(error);
      continue;
    }
    next = work.next(answer);
  }
  return next.value;
}

export function runBlocking<T>(work: Work<T>, on: SyncQueryable): T {
  let next = work.next();
  while (!next.done) {
    let answer: unknown;
    try {
      answer = perform(next.value, on, runBlocking, pauseBlocking);
      if (isPromise(answer)) throw asyncInBlocking();
    } catch (error) {
      next = work.throw(error);
      continue;
    }
    next = work.next(answer);
  }
  return next.value;
}

/** The verbs have the same names in both worlds. */
function perform<On extends Queryable | SyncQueryable>(
  step: Step,
  on: On,
  run: (work: Work<unknown>, on: On) => unknown,
  pause: (ms: number) => unknown,
): unknown {
  switch (step.do) {
    case 'execute': {
      const { statement, options } = step;
      const target = on as Queryable;
      return 'text' in statement
        ? target.execute(statement.text, statement.values, options)
        : target.execute(statement, options);
    }
    case 'transaction': {
      type Open = (callback: (tx: On) => unknown, options?: TransactionOptions) => unknown;
      const target = on as On & { readonly transaction: Open };
      const callback = (tx: On): unknown => run(step.work(), tx);
      return step.options
        ? target.transaction(callback, step.options)
        : target.transaction(callback);
    }
    case 'load': {
      const { table, rows, columns, options } = step;
      return on.bulkInsert(table, rows, { columns, ...options });
    }
    case 'pause':
      return pause(step.ms);
    case 'settle':
      return step.value;
  }
}

function pauseAwaited(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

function pauseBlocking(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function asyncInBlocking(): EntityError {
  return new EntityError(
    'The validator of this collection answers with a promise, which a blocking call cannot wait for. Use the awaited calls.',
    { kind: 'usage', code: 'DAL_ENTITY_ASYNC_VALIDATOR' },
  );
}
