import type { DatabaseSync, StatementColumnMetadata, StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type {
  DriverConnection,
  DriverVersion,
  NativeResult,
  NativeStatement,
  SessionStatus,
} from '@dal/core';
import { READ_ONLY } from './the-vendor-dialect.ts';
import { TheVendorError } from './the-vendor-faults.ts';
import type { TheVendorSettings } from './the-vendor-options.ts';
import { cellReader, encodeValue } from './the-vendor-types.ts';

/** Between two statements in one text; comments at the end are none. */
const nothing = /^(?:[\s;]|--.*|\/\*[\s\S]*?\*\/)*$/;

/**
 * One session. `raw`, `query` and `close` are required; what else there is, the layer finds by itself.
 *
 * TODO The next members that are worth their lines: `cancel` (a deadline stops the statement on the
 * server), `reset` (a session is used again after a borrower changed it), `load` (many rows, the engine's way).
 */
export class TheVendorConnection implements DriverConnection<DatabaseSync> {
  readonly raw: DatabaseSync;
  readonly #settings: TheVendorSettings;
  #readOnly = false;

  constructor(database: DatabaseSync, settings: TheVendorSettings) {
    this.raw = database;
    this.#settings = settings;
  }

  // TODO Send the statement with your library; reject with the library's own error.
  async query({ text, values, rowMode }: NativeStatement): Promise<NativeResult> {
    const statement = this.#prepare(text);
    const bound = values.map(encodeValue);
    try {
      const columns = statement.columns();
      if (columns.length === 0) return this.#change(text, statement, bound);
      const rows = statement.all(...bound).map(this.#rowReader(columns, rowMode));
      return {
        rows,
        columns: columns.map(({ name, type }) => (type === null ? { name } : { name, type })),
        affectedRows: /\breturning\b/i.test(text) ? rows.length : 0,
      };
    } finally {
      this.#followReadOnly(text);
    }
  }

  /** Optional: without it a stream is one `query`, cut into batches. */
  async *stream(
    { text, values, rowMode }: NativeStatement,
    batchSize: number,
  ): AsyncGenerator<unknown[], void, undefined> {
    const statement = this.#prepare(text);
    const read = this.#rowReader(statement.columns(), rowMode);
    let batch: unknown[] = [];
    for (const row of statement.iterate(...values.map(encodeValue))) {
      if (batch.push(read(row)) < batchSize) continue;
      yield batch;
      batch = [];
      // Between two batches everything else in this thread gets its turn.
      await setImmediate();
    }
    if (batch.length > 0) yield batch;
  }

  /** Says whether a transaction is open, also one that somebody began as plain SQL. */
  status(): SessionStatus {
    return this.raw.isOpen && this.raw.isTransaction ? 'transaction' : 'idle';
  }

  async version(): Promise<DriverVersion> {
    // TODO What the server calls itself, and the version of your library.
    const { version } = this.raw.prepare('SELECT sqlite_version() AS version').get() ?? {};
    return {
      serverVersion: String(version),
      flavor: 'the-vendor',
      driver: 'node:sqlite',
      driverVersion: process.versions.node.split('.', 1)[0] ?? '',
    };
  }

  async close(): Promise<void> {
    this.destroy();
  }

  /** At once, without a word to the server; may be called twice, and while a statement runs. */
  destroy(): void {
    if (this.raw.isOpen) this.raw.close();
  }

  #prepare(text: string): StatementSync {
    if (!this.raw.isOpen) {
      throw new TheVendorError('The session is closed.', {
        kind: 'connection',
        connectionLost: true,
        applied: 'no',
      });
    }
    const statement = this.raw.prepare(text);
    // The library runs the first statement and ignores the others.
    if (!nothing.test(text.slice(statement.sourceSQL.length))) {
      throw new TheVendorError('Send one statement at a time.', { kind: 'usage', applied: 'no' });
    }
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return statement;
  }

  #rowReader(
    columns: readonly StatementColumnMetadata[],
    rowMode: NativeStatement['rowMode'],
  ): (row: unknown) => unknown {
    const cells = columns.map(({ type }) => cellReader(type, this.#settings));
    const names = columns.map(({ name }) => name);
    return (row) => {
      const read = (row as unknown[]).map((cell, at) => (cell === null ? null : cells[at]?.(cell)));
      return rowMode === 'array'
        ? read
        : Object.fromEntries(names.map((name, at) => [name, read[at]]));
    };
  }

  #change(
    text: string,
    statement: StatementSync,
    bound: ReturnType<typeof encodeValue>[],
  ): NativeResult {
    const { changes, lastInsertRowid } = statement.run(...bound);
    const result = { rows: [], columns: [], affectedRows: Number(changes) };
    if (!/^\s*insert\b/i.test(text) || result.affectedRows === 0) return result;
    const insertId = Number(lastInsertRowid);
    return {
      ...result,
      insertId: Number.isSafeInteger(insertId) ? insertId : BigInt(lastInsertRowid),
    };
  }

  /** A transaction that only reads forbids writes; its end, however it comes, allows them again. */
  #followReadOnly(text: string): void {
    if (text === READ_ONLY) this.#readOnly = true;
    if (!this.#readOnly || this.raw.isTransaction) return;
    this.#readOnly = false;
    this.raw.exec('PRAGMA query_only = OFF');
  }
}
