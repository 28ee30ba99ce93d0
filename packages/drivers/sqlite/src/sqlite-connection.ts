import {
  type DriverConnection,
  integerFromText,
  type NativeResult,
  type NativeStatement,
  type SessionStatus,
  type StatementCacheStats,
} from '@dal/core';
import { chunksOf } from './bulk.ts';
import { ColumnSlots } from './column-slots.ts';
import { textShape } from './description.ts';
import { KeptStatements } from './kept-statements.ts';
import { packCells, packRows, unpackCells } from './packed-cells.ts';
import type { HowToCall, ProcessLine } from './process-line.ts';
import { cellSettings } from './read-texts.ts';
import { libraryAnswer, SessionCalls, shapeRows } from './session-calls.ts';
import { rememberLoss, type SqliteRaw } from './session-line.ts';
import {
  asLibrary,
  type AsLibrary,
  type BatchAnswer,
  type Cell,
  type LibraryVersion,
  type Request,
  type RunAnswer,
} from './session-messages.ts';
import type { SqliteSettings } from './sqlite-options.ts';
import { encodeValues, valuesOfLibrary } from './sqlite-types.ts';
import { onlyReads, statementVerb } from './statement-verb.ts';

/** How long the batch that is under way may hold up who leaves a stream early. */
const LEAVE_TIMEOUT_MS = 2_000;

/**
 * A session in another process, as the layer knows it. There is no `cancel`: SQLite cannot be asked
 * to stop from outside, so a statement is stopped by `destroy`, which kills its process and frees
 * its locks.
 */
export class SqliteConnection extends SessionCalls implements DriverConnection<SqliteRaw> {
  readonly #line: ProcessLine;
  readonly #settings: SqliteSettings;
  readonly #shapes: ColumnSlots<ReturnType<typeof textShape>>;
  readonly #kept: KeptStatements;

  constructor(line: ProcessLine, settings: SqliteSettings) {
    super();
    this.#line = line;
    this.#settings = settings;
    const cells = cellSettings(settings);
    this.#shapes = new ColumnSlots((names, types) => textShape(names, types, cells));
    this.#kept = new KeptStatements(settings.preparedStatements);
  }

  get raw(): SqliteRaw {
    return this.#line.raw;
  }

  async query(statement: NativeStatement): Promise<NativeResult> {
    const { text, values, rowMode } = statement;
    const as = asLibrary(statement);
    const cells = cellsOf(values, as);
    const { known, wire } = this.#kept.find(text);
    const request: Request = as ? ['run', wire, cells, as] : ['run', wire, cells];
    const answer = (await this.#call(request, this.#how(known.verb))) as RunAnswer;
    if (typeof wire !== 'number' && known.number > 0) this.#kept.keep(text, known);
    const [batch, affectedRows, insertId, lastInsertRowid] = answer;
    const { columns } = this.#shapes.of(batch[0]);
    const rows = this.#rows(batch, rowMode, as);
    const result = { rows, columns, affectedRows, command: known.verb };
    const whole = insertId === null ? result : { ...result, insertId: integerFromText(insertId) };
    if (as === undefined) return whole;
    return { ...whole, library: libraryAnswer(rows, affectedRows, lastInsertRowid) };
  }

  async *stream(
    statement: NativeStatement,
    batchSize: number,
  ): AsyncGenerator<unknown[], void, undefined> {
    const { text, values, rowMode } = statement;
    const as = asLibrary(statement);
    const cells = cellsOf(values, as);
    const how = this.#how(statementVerb(text));
    const open: Request = as
      ? ['open', text, cells, batchSize, as]
      : ['open', text, cells, batchSize];
    let batch = (await this.#call(open, how)) as BatchAnswer;
    const more: HowToCall = { onlyReads: how.onlyReads };
    let next: Promise<BatchAnswer> | undefined;
    try {
      for (;;) {
        const [, rows, , done] = batch;
        // The next batch is read while the caller is busy with this one.
        next = done ? undefined : (this.#call(['next'], more) as Promise<BatchAnswer>);
        next?.catch(() => undefined);
        if (rows.length > 0) yield this.#rows(batch, rowMode, as);
        if (next === undefined) return;
        batch = await next;
      }
    } finally {
      if (next !== undefined) await this.#leave(next);
    }
  }

  status(): SessionStatus {
    return this.#line.inTransaction ? 'transaction' : 'idle';
  }

  /** Kept by the session's process itself, so that it holds when this one is frozen. No message is sent for it. */
  limit(timeoutMs: number): Promise<void> {
    this.#line.limitMs = Math.min(Math.ceil(timeoutMs), MAX_LIMIT_MS);
    return Promise.resolve();
  }

  statements(): StatementCacheStats {
    return this.#kept.stats();
  }

  async reset(): Promise<void> {
    this.#line.limitMs = 0;
    this.#kept.clear();
    await this.#call(['reset']);
  }

  close(): Promise<void> {
    return this.#line.close();
  }

  destroy(): void {
    this.#line.destroy();
  }

  protected override libraryVersion(): Promise<LibraryVersion> {
    return this.#call(['version']) as Promise<LibraryVersion>;
  }

  /** One message for many rows; the next one is written while the session works on this one. */
  protected override async many(
    text: string,
    rows: Iterable<Cell[]>,
    as?: AsLibrary,
  ): Promise<number> {
    let affectedRows = 0;
    let running: Promise<number> | undefined;
    try {
      for (const chunk of chunksOf(rows)) {
        const before = running;
        running = undefined;
        affectedRows += (await before) ?? 0;
        running = this.#runChunk(text, chunk, as);
        running.catch(() => undefined);
      }
      return affectedRows + ((await running) ?? 0);
    } finally {
      // A value was refused; the session must have answered before it is asked again.
      await running?.catch(() => undefined);
    }
  }

  async #runChunk(text: string, rows: Cell[][], as?: AsLibrary): Promise<number> {
    const { known, wire } = this.#kept.find(text);
    packRows(rows);
    const how = this.#how(known.verb);
    const request: Request = as ? ['many', wire, rows, as] : ['many', wire, rows];
    const affectedRows = (await this.#call(request, how)) as number;
    if (typeof wire !== 'number' && known.number > 0) this.#kept.keep(text, known);
    return affectedRows;
  }

  #rows(
    [columns, rows, packed]: BatchAnswer,
    rowMode: 'array' | undefined,
    as: AsLibrary | undefined,
  ): unknown[] {
    if (packed) for (const row of rows) unpackCells(row);
    const shape = this.#shapes.of(columns);
    return shapeRows(as ? shape.library : shape, rows, rowMode);
  }

  #how(verb: string): HowToCall {
    return {
      onlyReads: this.#settings.readOnly || onlyReads(verb),
      forget: this.#kept.takeForgotten(),
    };
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

  async #call(request: Request, how?: HowToCall): Promise<unknown> {
    try {
      return await this.#line.call(request, how);
    } catch (error) {
      throw this.#settings.memory ? rememberLoss(error, this.#settings.memory.opened) : error;
    }
  }
}

/** Values as they travel. */
function cellsOf(values: readonly unknown[], as: AsLibrary | undefined): Cell[] {
  const cells = as ? valuesOfLibrary(values) : encodeValues(values);
  packCells(cells);
  return cells;
}

/** As far as the session's watch can count: 24 days. */
const MAX_LIMIT_MS = 2 ** 31 - 1;
