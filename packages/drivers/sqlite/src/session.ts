/** One open SQLite database: what a session does, in whatever process it lives. */
import type { Bound } from './bind-cell.ts';
import { ColumnWatch } from './column-watch.ts';
import { type Description, NO_COLUMNS } from './description.ts';
import { libraryVersion, openNativeDatabase, type SqliteDatabase } from './native-database.ts';
import { keepsSchema, type Prepared, prepareStatement } from './prepared.ts';
import type { CellSettings } from './read-cells.ts';
import type { AsLibrary, LibraryVersion, SessionSettings } from './session-messages.ts';
import { type SessionResult, StatementRunner } from './statement-runner.ts';
import { tidyDatabase } from './tidy-database.ts';

export interface SessionBatch {
  readonly description: Description;
  readonly rows: unknown[][];
  readonly done: boolean;
}

interface OpenStream {
  readonly rows: IterableIterator<unknown[]>;
  readonly prepared: Prepared;
  readonly batchSize: number;
  description: Description | undefined;
}

/** Every method throws better-sqlite3's own errors. */
export class Session {
  readonly #settings: SessionSettings;
  readonly #cells: CellSettings;
  /** better-sqlite3's object; another one after `reset`. */
  database!: SqliteDatabase;
  /** SQLite's own word, as of the last statement. */
  inTransaction = false;
  #watch!: ColumnWatch;
  #runner!: StatementRunner;
  #stream: OpenStream | undefined;
  #queryOnly = false;

  constructor(settings: SessionSettings, cells: CellSettings) {
    this.#settings = settings;
    this.#cells = cells;
    this.#open();
  }

  /** Whoever keeps it must forget it when the session is reset. */
  prepare(text: string): Prepared {
    // A database that was opened for reading has no write lock to take.
    const allowed = this.#settings.readOnly && text === 'BEGIN IMMEDIATE' ? 'BEGIN' : text;
    return prepareStatement(this.database, allowed);
  }

  run(prepared: Prepared, values: Bound[], asObjects: boolean, as?: AsLibrary): SessionResult {
    try {
      return as
        ? this.#runner.runAsLibrary(prepared, values, as)
        : this.#runner.run(prepared, values, asObjects);
    } catch (error) {
      this.#failed();
      throw error;
    } finally {
      if (!prepared.ordinary) this.#settle(prepared);
    }
  }

  /** The same statement for each list of values, ended by the first error. */
  runMany(prepared: Prepared, rows: readonly Bound[][]): number {
    try {
      return this.#runner.runMany(prepared, rows);
    } catch (error) {
      this.#failed();
      throw error;
    } finally {
      if (!prepared.ordinary) this.#settle(prepared);
    }
  }

  openStream(text: string, values: Bound[], batchSize: number, as?: AsLibrary): SessionBatch {
    this.endStream();
    // Its own statement: one that is being read cannot run a second time.
    const prepared = this.prepare(text);
    if (!prepared.reader) {
      this.run(prepared, values, false, as);
      return { description: NO_COLUMNS, rows: [], done: true };
    }
    prepared.statement.raw(true).safeIntegers(as !== 'library');
    const rows = prepared.statement.iterate(values) as IterableIterator<unknown[]>;
    this.#stream = { rows, prepared, batchSize, description: undefined };
    return this.nextBatch();
  }

  nextBatch(): SessionBatch {
    const stream = this.#stream;
    if (stream === undefined) return { description: NO_COLUMNS, rows: [], done: true };
    try {
      const rows: unknown[][] = [];
      let done = false;
      while (rows.length < stream.batchSize) {
        const next = stream.rows.next();
        if (next.done === true) {
          done = true;
          break;
        }
        rows.push(next.value);
      }
      // After the first step, for only that brings a stale statement up to date.
      stream.description ??= this.#watch.ofNew(stream.prepared);
      if (done) this.#endOf(stream);
      return { description: stream.description, rows, done };
    } catch (error) {
      this.endStream();
      this.#failed();
      throw error;
    }
  }

  endStream(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.rows.return?.();
    this.#endOf(stream);
  }

  /** A session as new: a file is opened again, a database in memory is tidied, for it would be lost. */
  reset(): void {
    this.endStream();
    this.#queryOnly = false;
    if (this.#settings.path === ':memory:') {
      tidyDatabase(this.database, this.#settings);
      this.#watch.changed('');
      this.inTransaction = false;
      return;
    }
    this.database.close();
    this.#open();
  }

  /** Ends the transaction of somebody who left without a word. */
  rollBack(): void {
    this.endStream();
    if (this.database.inTransaction) this.database.exec('ROLLBACK');
    this.#failed();
  }

  /** Asks SQLite again, when somebody had the library's object and may have begun something. */
  lookAtTransaction(): void {
    this.inTransaction = this.database.open && this.database.inTransaction;
  }

  version(): LibraryVersion {
    return libraryVersion(this.database);
  }

  close(): void {
    this.#stream = undefined;
    this.inTransaction = false;
    this.database.close();
  }

  #open(): void {
    this.database = openNativeDatabase(this.#settings);
    this.inTransaction = false;
    this.#watch = new ColumnWatch(this.database, this.#cells, this.#settings.path === ':memory:');
    this.#runner = new StatementRunner(this.database, this.#watch);
  }

  #endOf({ prepared }: OpenStream): void {
    this.#stream = undefined;
    if (!prepared.ordinary) this.#settle(prepared);
  }

  /** An error may have ended the transaction, and taken back what it did to the schema. */
  #failed(): void {
    const before = this.inTransaction;
    this.lookAtTransaction();
    if (before && !this.inTransaction) this.#watch.changed('');
    this.#followQueryOnly();
  }

  /** After a statement that may have changed more than data. */
  #settle({ verb, setsQueryOnly }: Prepared): void {
    this.lookAtTransaction();
    if (!keepsSchema(verb)) this.#watch.changed(verb);
    if (setsQueryOnly) this.#queryOnly = true;
    else this.#followQueryOnly();
  }

  /** A transaction for reading sets `query_only`; its end takes that back, however it ended. */
  #followQueryOnly(): void {
    if (!this.#queryOnly || this.inTransaction) return;
    this.#queryOnly = false;
    if (!this.#settings.readOnly && this.database.open) this.database.pragma('query_only = OFF');
  }
}
