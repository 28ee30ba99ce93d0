import { type Connection, isDalError, libraryError, type StatementOptions } from '@dal/core';
import type {
  AbortableOperationOptions,
  CompiledQuery,
  DatabaseConnection,
  QueryResult,
} from './kysely.ts';
import { onlyReads } from './only-reads.ts';
import { toQueryResult } from './to-query-result.ts';

/** One loan, for one statement or for a transaction. */
export class DalConnection implements DatabaseConnection {
  readonly lent: Connection;
  /** The end of the last statement, however it came. */
  #ended: Promise<unknown> = Promise.resolve();

  constructor(lent: Connection) {
    this.lent = lent;
  }

  executeQuery<R>(
    query: CompiledQuery,
    options: AbortableOperationOptions = {},
  ): Promise<QueryResult<R>> {
    const answer = this.#execute<R>(query, options);
    this.#ended = answer.catch(() => undefined);
    return answer;
  }

  async *streamQuery<R>(
    query: CompiledQuery,
    chunkSize: number,
    { signal }: AbortableOperationOptions = {},
  ): AsyncIterableIterator<QueryResult<R>> {
    const options = { ...statementOptions(query, signal), batchSize: chunkSize };
    try {
      for await (const rows of this.lent.stream<R>(query.sql, query.parameters, options)) {
        yield { rows };
      }
    } catch (error) {
      if (signal?.aborted && isDalError(error)) return;
      throw libraryError(error);
    }
  }

  /** Nothing to do: the signal, which every statement is given, has stopped it on the server. */
  async cancelQuery(): Promise<void> {}

  /** Not before the statement has ended: dropping the line alone would leave it on the server. */
  async killSession(): Promise<void> {
    await this.#ended;
    await this.lent.destroy();
  }

  async #execute<R>(
    query: CompiledQuery,
    { signal }: AbortableOperationOptions,
  ): Promise<QueryResult<R>> {
    try {
      const options = {
        ...statementOptions(query, signal),
        ...(this.#mayBeSeveral(query) ? { libraryOptions: { queryMode: 'simple' } } : {}),
      };
      const result = await this.lent.execute<R>(query.sql, query.parameters, options);
      return toQueryResult(this.lent.dialect.name, result);
    } catch (error) {
      // Kysely has told its caller already, and would print this one.
      if (signal?.aborted && isDalError(error)) return { rows: [] };
      throw libraryError(error);
    }
  }

  /**
   * `pg` takes several statements in one text without values. Nobody looks what they do to the session,
   * so it is reset when it comes back, and such a text is never run again.
   */
  #mayBeSeveral({ sql, parameters }: CompiledQuery): boolean {
    if (this.lent.dialect.name !== 'postgres') return false;
    if (parameters.length > 0 || !/;\s*\S/.test(sql)) return false;
    return this.lent.raw !== undefined;
  }
}

function statementOptions(
  { query }: CompiledQuery,
  signal: AbortSignal | undefined,
): StatementOptions {
  return {
    placeholders: 'native',
    mapping: 'library',
    idempotent: onlyReads(query),
    ...(signal ? { signal } : {}),
  };
}
