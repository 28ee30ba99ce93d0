import {
  type BeginOptions,
  type Connection,
  type ExecuteResult,
  isDalError,
  libraryError,
  type StreamOptions,
} from '@dal/core';
import { statementOptions } from './statement-options.ts';
import type { KnexStatement } from './statement.ts';
import { transactionWord } from './transaction-words.ts';

let lastUid = 0;

/** One loan, as Knex passes it around and writes on it. */
export class KnexConnection {
  readonly __knexUid: string = `__knexUid${++lastUid}`;
  /** The transaction that runs here, for Knex's events. */
  __knexTxId: string | undefined;
  /** Why Knex does not want to see the session again. */
  __knex__disposed: unknown;
  readonly lent: Connection;
  /** The words for the transaction that comes next, on engines where they come before its BEGIN. */
  #next: BeginOptions = {};
  /** A transaction of Knex's goes on here, but the server has none any more. */
  #alone = false;
  #released = false;
  #running: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;

  constructor(lent: Connection) {
    this.lent = lent;
  }

  /** The driver's own connection, for what only it can do. */
  get raw(): unknown {
    return this.lent.raw;
  }

  async execute(statement: KnexStatement, bindings: readonly unknown[]): Promise<ExecuteResult> {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const running = { abort: new AbortController(), ended };
    this.#running = running;
    try {
      return await this.#send(statement, bindings, running.abort.signal);
    } catch (error) {
      throw libraryError(error);
    } finally {
      if (this.#running === running) this.#running = undefined;
      end();
    }
  }

  async *rows(
    statement: KnexStatement,
    bindings: readonly unknown[],
    batchSize: number | undefined,
  ): AsyncGenerator {
    const options: StreamOptions = {
      ...statementOptions(statement.options),
      ...(batchSize === undefined ? {} : { batchSize }),
    };
    try {
      yield* this.lent.stream(statement.sql, bindings, options).rows();
    } catch (error) {
      throw libraryError(error);
    }
  }

  /** Stops the running statement on the server, and waits for its end. */
  async cancel(): Promise<void> {
    const running = this.#running;
    running?.abort.abort();
    await running?.ended;
  }

  /** Knex releases a stream's connection twice. */
  async release(): Promise<void> {
    // A statement that Knex gave up still runs: nobody waits for it any more.
    await this.cancel();
    if (this.#released) return;
    this.#released = true;
    if (this.__knex__disposed) await this.lent.destroy();
    else await this.lent[Symbol.asyncDispose]();
  }

  async #send(
    { sql, options, method }: KnexStatement,
    bindings: readonly unknown[],
    signal: AbortSignal,
  ): Promise<ExecuteResult> {
    const word = method === undefined ? transactionWord(sql) : undefined;
    switch (word?.kind) {
      case 'next':
        this.#next = word.options;
        return SAID;
      case 'begin': {
        const how = { ...this.#next, ...word.options };
        this.#next = {};
        this.#alone = false;
        await this.lent.begin(how);
        return SAID;
      }
      case 'commit':
        await this.#commit();
        return SAID;
      case 'rollback':
        await this.#rollback();
        return SAID;
      default: {
        const how = this.#mayBeSeveral(sql, bindings)
          ? { ...options, queryMode: 'simple' }
          : options;
        const run = (): Promise<ExecuteResult> =>
          this.lent.execute(sql, bindings, statementOptions(how, signal));
        return run().catch(async (error: unknown) => {
          if (!this.#wasEndedByDdl(error)) throw error;
          await this.lent.rollback();
          this.#alone = true;
          return run();
        });
      }
    }
  }

  /**
   * `pg` takes several statements in one text without values. Nobody looks what they do to the session,
   * so it is reset when it comes back, and such a text is never run again.
   */
  #mayBeSeveral(sql: string, bindings: readonly unknown[]): boolean {
    if (this.lent.dialect.name !== 'postgres') return false;
    if (bindings.length > 0 || !/;\s*\S/.test(sql)) return false;
    return this.lent.raw !== undefined;
  }

  /**
   * MySQL commits for every DDL, and Knex runs its migrations in transactions nevertheless. What follows
   * stands alone there, as with Knex's own driver. Not so when the server rolled back.
   */
  #wasEndedByDdl(error: unknown): boolean {
    const { ddlCommits = false } = this.lent.dialect;
    return (
      ddlCommits &&
      isDalError(error) &&
      error.code === 'DAL_TRANSACTION_GONE' &&
      error.fault === undefined
    );
  }

  async #commit(): Promise<void> {
    if (this.#alone) return;
    try {
      await this.lent.commit();
    } catch (error) {
      if (!this.#wasEndedByDdl(error)) throw error;
    }
  }

  async #rollback(): Promise<void> {
    try {
      await this.lent.rollback();
    } catch (error) {
      // The session is gone and its transaction with it. Knex would show this error instead of the one
      // that the transaction failed of.
      if (!isDalError(error) || !error.fault?.connectionLost) throw error;
    }
  }
}

const SAID: ExecuteResult = {
  rows: [],
  affectedRows: 0,
  insertId: undefined,
  command: undefined,
  columns: [],
};
