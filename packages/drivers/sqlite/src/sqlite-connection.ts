import type {
  DriverConnection,
  DriverVersion,
  NativeResult,
  NativeStatement,
  SessionStatus,
} from '@dal/core';
import type { SessionLine, SqliteRaw } from './session-line.ts';
import type { Batch, LibraryVersion, Request, RunResult } from './session-messages.ts';
import { SqliteError } from './sqlite-faults.ts';
import type { SqliteSettings } from './sqlite-options.ts';
import { encodeValues, type Shape, shapeOf } from './sqlite-types.ts';

/** Forms of rows that a connection remembers. */
const MAX_SHAPES = 200;
/** How long the batch that is under way may hold up who leaves a stream early. */
const LEAVE_TIMEOUT_MS = 2_000;

/**
 * A session as the layer knows it. There is no `cancel`: SQLite cannot be asked to stop from
 * outside, so a statement is stopped by `destroy`, which kills its process and frees its locks.
 */
export class SqliteConnection implements DriverConnection<SqliteRaw> {
  readonly #line: SessionLine;
  readonly #settings: SqliteSettings;
  readonly #shapes = new Map<string, Shape>();

  constructor(line: SessionLine, settings: SqliteSettings) {
    this.#line = line;
    this.#settings = settings;
  }

  get raw(): SqliteRaw {
    return this.#line.raw;
  }

  async query({ text, values, rowMode }: NativeStatement): Promise<NativeResult> {
    const result = (await this.#call(['run', text, encodeValues(values)])) as RunResult;
    const { affectedRows, insertId, verb } = result;
    const shape = this.#shape(result.columns);
    return {
      rows: result.rows.map(rowMode === 'array' ? shape.toArray : shape.toRow),
      columns: shape.columns,
      affectedRows,
      ...(insertId === undefined ? {} : { insertId }),
      command: verb,
    };
  }

  async *stream(
    { text, values, rowMode }: NativeStatement,
    batchSize: number,
  ): AsyncGenerator<unknown[], void, undefined> {
    let batch = (await this.#call(['open', text, encodeValues(values), batchSize])) as Batch;
    let next: Promise<Batch> | undefined;
    try {
      for (;;) {
        // The next batch is read while the caller is busy with this one.
        next = batch.done ? undefined : (this.#call(['next']) as Promise<Batch>);
        next?.catch(() => undefined);
        const shape = this.#shape(batch.columns);
        const toRow = rowMode === 'array' ? shape.toArray : shape.toRow;
        if (batch.rows.length > 0) yield batch.rows.map((row) => toRow(row));
        if (next === undefined) return;
        batch = await next;
      }
    } finally {
      if (next !== undefined) await this.#leave(next);
    }
  }

  /** Ends a stream that was not read to its end; a session that does not let go is destroyed. */
  async #leave(underWay: Promise<unknown>): Promise<void> {
    const timer = setTimeout(() => this.destroy(), LEAVE_TIMEOUT_MS);
    try {
      await underWay.catch(() => undefined);
      await this.#line.call(['end']);
    } catch {
      this.destroy();
    } finally {
      clearTimeout(timer);
    }
  }

  status(): SessionStatus {
    return this.#line.inTransaction ? 'transaction' : 'idle';
  }

  async reset(): Promise<void> {
    await this.#call(['reset']);
  }

  async version(): Promise<DriverVersion> {
    const { sqlite, library } = (await this.#call(['version'])) as LibraryVersion;
    return {
      serverVersion: sqlite,
      flavor: 'sqlite',
      driver: 'better-sqlite3',
      driverVersion: library,
    };
  }

  close(): Promise<void> {
    return this.#line.close();
  }

  destroy(): void {
    this.#line.destroy();
  }

  async #call(request: Request): Promise<unknown> {
    try {
      return await this.#line.call(request);
    } catch (error) {
      throw this.#settings.memory ? rememberLoss(error, this.#settings.memory.opened) : error;
    }
  }

  #shape(columns: readonly string[]): Shape {
    const key = columns.join('\0');
    let shape = this.#shapes.get(key);
    if (shape === undefined) {
      if (this.#shapes.size >= MAX_SHAPES) this.#shapes.clear();
      shape = shapeOf(columns, this.#settings);
      this.#shapes.set(key, shape);
    }
    return shape;
  }
}

/** A table that is missing because the database in memory began anew needs more than its own words. */
function rememberLoss(error: unknown, opened: number): unknown {
  if (opened < 2 || !(error instanceof SqliteError)) return error;
  if (!error.message.startsWith('no such table')) return error;
  const hint =
    'This database in memory lost its data when its session was stopped or ended; it began anew, empty. Use a file to keep data.';
  return new SqliteError(error, { ...error.known, hint });
}
