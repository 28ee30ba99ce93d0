import {
  ConfigError,
  type DriverConnection,
  firstKeyword,
  type NativeOptions,
  type NativeResult,
  type Queryable,
  QueryError,
} from '@dal/core';
import type { CopySource } from './copy-chunks.ts';
import { postgresDialect } from './postgres-dialect.ts';

export interface CopyResult {
  readonly command: 'COPY';
  /** Rows that were copied. */
  readonly affectedRows: number;
}

/**
 * Sends data to a `COPY ... FROM STDIN`, in the format that its text names; all or nothing. Runs on a
 * database, a connection or a transaction. The time counts for all of the data; default: none.
 *
 * @throws ConfigError for another statement, and the source's own error when that fails
 */
export async function copyFrom(
  on: Queryable,
  text: string,
  source: CopySource,
  options: NativeOptions = {},
): Promise<CopyResult> {
  checkText(text, 'FROM STDIN');
  const guarded = new GuardedSource(source);
  const call = (connection: DriverConnection): Promise<NativeResult> =>
    copying(connection).copyFrom(text, guarded.pieces());
  try {
    const { affectedRows } = await on.native.run(text, call, { timeoutMs: Infinity, ...options });
    return { command: 'COPY', affectedRows };
  } catch (error) {
    if (guarded.failure) throw guarded.failure.error;
    throw error;
  }
}

/**
 * The data of a `COPY ... TO STDOUT`, in chunks of about 64 KiB that end anywhere in a row. A slow
 * reader holds the server back. Leaving the loop early stops the server; inside a transaction, which
 * would not survive that, the rest is read and dropped. `timeoutMs` counts for all of the data;
 * default: each chunk has the statement's time.
 *
 * @throws ConfigError for another statement
 */
export function copyTo(
  on: Queryable,
  text: string,
  options: NativeOptions = {},
): AsyncIterable<Buffer> {
  checkText(text, 'TO STDOUT');
  return on.native.stream(text, (connection) => copying(connection).copyTo(text), options);
}

/** Keeps the source's own error apart from those of the line: a broken file is not a broken session. */
class GuardedSource {
  failure: { readonly error: unknown } | undefined;
  readonly #source: CopySource;

  constructor(source: CopySource) {
    this.#source = source;
  }

  async *pieces(): AsyncGenerator<string | Uint8Array, void, undefined> {
    const source = this.#source;
    try {
      if (typeof source === 'string' || source instanceof Uint8Array) yield source;
      else yield* source;
    } catch (error) {
      this.failure = { error };
      throw new QueryError('The source of copyFrom could not be read.', {
        kind: 'usage',
        code: 'DAL_ROW_SOURCE',
        cause: error,
        fault: { kind: 'usage', applied: 'no' },
      });
    }
  }
}

interface CopyingConnection {
  copyFrom(text: string, pieces: AsyncIterable<string | Uint8Array>): Promise<NativeResult>;
  copyTo(text: string): AsyncIterable<Buffer>;
}

function copying(connection: DriverConnection): CopyingConnection {
  const { copyFrom: from, copyTo: to } = connection as Partial<CopyingConnection>;
  if (from && to) return connection as DriverConnection & CopyingConnection;
  throw new ConfigError('COPY needs a PostgreSQL database. Elsewhere rows go in with bulkInsert.', {
    kind: 'usage',
    code: 'DAL_STATEMENT',
  });
}

function checkText(text: string, direction: 'FROM STDIN' | 'TO STDOUT'): void {
  const pattern = direction === 'FROM STDIN' ? /\bFROM\s+STDIN\b/i : /\bTO\s+STDOUT\b/i;
  if (firstKeyword(text, postgresDialect.lexis) === 'COPY' && pattern.test(text)) return;
  throw new ConfigError(
    `The statement must be COPY ... ${direction}; its data goes between this process and the server. Nothing was sent.`,
    { kind: 'usage', code: 'DAL_STATEMENT' },
  );
}
