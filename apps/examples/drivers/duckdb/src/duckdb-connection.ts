import {
  type DuckDBConnection,
  type DuckDBInstance,
  type DuckDBResult,
  type DuckDBValue,
  ResultReturnType,
  StatementType,
} from '@duckdb/node-api';
import library from '@duckdb/node-api/package.json' with { type: 'json' };
import type { DriverConnection, DriverVersion, NativeResult, NativeStatement } from '@dal/core';
import { DuckdbError } from './duckdb-faults.ts';
import type { DuckdbSettings } from './duckdb-options.ts';
import { cellReader, encodeValue } from './duckdb-types.ts';

/** One session. DuckDB works in threads of its own, so the event loop stays free. */
export class DuckdbConnection implements DriverConnection<DuckDBConnection> {
  readonly raw: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #settings: DuckdbSettings;
  #ended: Promise<void> | undefined;
  #running: Promise<DuckDBResult> | undefined;
  /** Streams that may have rows left. */
  readonly #unread: Set<DuckDBResult> = new Set();

  constructor(raw: DuckDBConnection, instance: DuckDBInstance, settings: DuckdbSettings) {
    this.raw = raw;
    this.#instance = instance;
    this.#settings = settings;
  }

  async query(statement: NativeStatement): Promise<NativeResult> {
    const result = await this.#send(statement, false);
    if (result.returnType !== ResultReturnType.QUERY_RESULT) {
      return { rows: [], columns: [], affectedRows: result.rowsChanged };
    }
    const rows = (await result.getRows()).map(this.#rowReader(result, statement.rowMode));
    const columns = result
      .columnNames()
      .map((name, at) => ({ name, type: String(result.columnType(at)) }));
    // Of a change, the rows are those of RETURNING.
    return { rows, columns, affectedRows: changes.has(result.statementType) ? rows.length : 0 };
  }

  async *stream(
    statement: NativeStatement,
    batchSize: number,
  ): AsyncGenerator<unknown[], void, undefined> {
    const result = await this.#send(statement, true);
    if (result.returnType !== ResultReturnType.QUERY_RESULT) return;
    this.#unread.add(result);
    const read = this.#rowReader(result, statement.rowMode);
    try {
      for (;;) {
        // About two thousand rows, whatever the batch is; what is not fetched is not in memory.
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        const rows = chunk.getRows().map(read);
        for (let from = 0; from < rows.length; from += batchSize) {
          yield rows.slice(from, from + batchSize);
        }
      }
    } finally {
      await this.#letGo();
    }
  }

  /** Only what runs now: DuckDB forgets an interrupt when the next statement begins. */
  async cancel(): Promise<void> {
    if (!this.#ended) this.raw.interrupt();
  }

  /** A call, since DuckDB refuses the word where no transaction is open. */
  async rollback(): Promise<void> {
    try {
      await this.#send({ text: 'ROLLBACK', values: [] }, false);
    } catch (error) {
      if (!/no transaction is active/.test(String(error))) throw error;
    }
  }

  async version(): Promise<DriverVersion> {
    const [[version] = []] = await (await this.raw.run('SELECT version()')).getRows();
    return {
      serverVersion: String(version).replace(/^v/, ''),
      flavor: 'duckdb',
      driver: '@duckdb/node-api',
      driverVersion: library.version,
    };
  }

  /** Resolves when the file is closed, if nobody else has it open. */
  close(): Promise<void> {
    return (this.#ended ??= this.#end());
  }

  destroy(): void {
    void this.close();
  }

  async #end(): Promise<void> {
    // DuckDB must not be closed under a statement; an interrupt before it has begun is forgotten.
    const again = setInterval(() => this.raw.interrupt(), 20);
    this.raw.interrupt();
    await this.#running?.catch(() => undefined);
    await this.#letGo();
    clearInterval(again);
    this.raw.closeSync();
    this.#instance.closeSync();
  }

  #send(statement: NativeStatement, asStream: boolean): Promise<DuckDBResult> {
    return (this.#running = this.#run(statement, asStream));
  }

  async #run({ text, values }: NativeStatement, asStream: boolean): Promise<DuckDBResult> {
    if (this.#ended) throw sessionIsOver();
    const bound = values.map(encodeValue);
    // The connection's own `run` would run every statement of a text; `prepare` refuses a second one.
    const prepared = await this.raw.prepare(text);
    try {
      prepared.bind(
        bound.map(({ value }) => value),
        bound.map(({ type }) => type),
      );
      return await (asStream ? prepared.stream() : prepared.run());
    } finally {
      prepared.destroySync();
    }
  }

  /**
   * Reads a stream that was left to its end: what is closed earlier keeps its file open until the
   * garbage collector comes. After an interrupt the end is near.
   */
  async #letGo(): Promise<void> {
    for (const left of this.#unread) {
      this.#unread.delete(left);
      while ((await left.fetchChunk().catch(() => null))?.rowCount) continue;
    }
  }

  #rowReader(
    result: DuckDBResult,
    rowMode: NativeStatement['rowMode'],
  ): (row: readonly DuckDBValue[]) => unknown {
    const names = result.columnNames();
    const cells = result.columnTypes().map((type) => cellReader(type, this.#settings));
    return (row) => {
      const read = row.map((cell, at) => (cell === null ? null : cells[at]?.(cell)));
      return rowMode === 'array'
        ? read
        : Object.fromEntries(names.map((name, at) => [name, read[at]]));
    };
  }
}

const changes = new Set([StatementType.INSERT, StatementType.UPDATE, StatementType.DELETE]);

function sessionIsOver(): DuckdbError {
  return new DuckdbError('The session is closed.', {
    kind: 'connection',
    connectionLost: true,
    applied: 'no',
  });
}
