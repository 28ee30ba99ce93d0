/** A session in this very thread: nothing is faster, and nothing can stop it. */
import { setImmediate } from 'node:timers/promises';
import {
  type DriverConnection,
  type NativeResult,
  type NativeStatement,
  type SessionStatus,
  StatementCache,
  type StatementCacheStats,
} from '@dal/core';
import { bindCell } from './bind-cell.ts';
import { chunksOf } from './bulk.ts';
import type { Prepared } from './prepared.ts';
import type { SharedSession } from './memory-state.ts';
import { libraryAnswer, SessionCalls, shapeRows } from './session-calls.ts';
import {
  rememberLoss,
  sessionIsHeld,
  sessionIsOver,
  type SqliteRaw,
  transactionFault,
} from './session-line.ts';
import {
  asLibrary,
  type AsLibrary,
  type Cell,
  failureOf,
  type LibraryVersion,
} from './session-messages.ts';
import type { Session } from './session.ts';
import { SqliteError } from './sqlite-faults.ts';
import type { SqliteSettings } from './sqlite-options.ts';
import { bindValues, valuesOfLibrary } from './sqlite-types.ts';
import { isWorthKeeping } from './statement-verb.ts';

export class InlineConnection extends SessionCalls implements DriverConnection<SqliteRaw> {
  readonly #session: Session;
  readonly #settings: SqliteSettings;
  readonly #shared: SharedSession | undefined;
  readonly #cache: StatementCache<Prepared>;
  #over = false;
  #raw: SqliteRaw | undefined;
  /** Somebody has the library's object, and may begin and end transactions with it. */
  #lent = false;

  /** @param shared set when others use the session too */
  constructor(session: Session, settings: SqliteSettings, shared?: SharedSession) {
    super();
    if (shared) shared.users += 1;
    this.#shared = shared;
    this.#session = session;
    this.#settings = settings;
    // SQLite follows a changed schema and new statistics by itself, so nothing grows too old.
    this.#cache = new StatementCache({ initial: settings.preparedStatements, lifetimeMs: 0 });
  }

  get raw(): SqliteRaw {
    this.#lent = true;
    const session = this.#session;
    this.#raw ??= {
      runsIn: 'inline',
      pid: process.pid,
      get database() {
        return session.database;
      },
    };
    return this.#raw;
  }

  query(statement: NativeStatement): Promise<NativeResult> {
    try {
      return Promise.resolve(this.querySync(statement));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  querySync(statement: NativeStatement): NativeResult {
    this.#enter();
    const { text, values, rowMode } = statement;
    const as = asLibrary(statement);
    const bound = as ? valuesOfLibrary(values) : bindValues(values);
    const session = this.#session;
    const before = session.inTransaction;
    try {
      const prepared = this.#cache.get(text) ?? this.#prepare(text);
      const result = session.run(prepared, bound, rowMode !== 'array', as);
      const { description, affectedRows, insertId, verb: command } = result;
      let { rows } = result;
      if (as) rows = shapeRows(description.libraryShape, rows as unknown[][], rowMode);
      else if (!result.asArrays) description.readObjects(rows as object[]);
      else rows = shapeRows(description.shape, rows as unknown[][], rowMode);
      const { columns } = description;
      const told =
        insertId === undefined
          ? { rows, columns, affectedRows, command }
          : { rows, columns, affectedRows, insertId, command };
      if (!as) return told;
      const id = result.run && Number(result.run.lastInsertRowid);
      return { ...told, library: libraryAnswer(rows, affectedRows, id) };
    } catch (error) {
      throw this.#told(error, before);
    }
  }

  async *stream(
    statement: NativeStatement,
    batchSize: number,
  ): AsyncGenerator<unknown[], void, undefined> {
    const { text, values, rowMode } = statement;
    const as = asLibrary(statement);
    const bound = as ? valuesOfLibrary(values) : bindValues(values);
    let batch = this.#do((session) => session.openStream(text, bound, batchSize, as));
    try {
      for (;;) {
        const { description, rows } = batch;
        const shape = as ? description.libraryShape : description.shape;
        if (rows.length > 0) yield shapeRows(shape, rows, rowMode);
        if (batch.done) return;
        // Between two batches everything else gets its turn.
        await setImmediate();
        batch = this.#do((session) => session.nextBatch());
      }
    } finally {
      if (!this.#over) this.#session.endStream();
    }
  }

  status(): SessionStatus {
    const shared = this.#shared;
    if (this.#over || (shared !== undefined && shared.holder !== this)) return 'idle';
    if (this.#lent) this.#session.lookAtTransaction();
    return this.#session.inTransaction ? 'transaction' : 'idle';
  }

  statements(): StatementCacheStats {
    return this.#cache.stats();
  }

  async reset(): Promise<void> {
    await Promise.resolve();
    this.#cache.clear();
    this.#do((session) => session.reset());
    this.#lent = false;
  }

  close(): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }

  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    try {
      if (this.#isLast()) this.#session.close();
      else if (this.#shared?.holder === this) this.#session.rollBack();
    } catch {
      // A session that is given up has nothing more to say.
    }
  }

  protected override async libraryVersion(): Promise<LibraryVersion> {
    await Promise.resolve();
    return this.#do((session) => session.version());
  }

  protected override async many(
    text: string,
    rows: Iterable<Cell[]>,
    as?: AsLibrary,
  ): Promise<number> {
    let affectedRows = 0;
    for (const chunk of chunksOf(rows)) {
      const bound = as ? chunk : chunk.map((cells) => cells.map(bindCell));
      affectedRows += this.#do((session) => {
        const prepared = this.#cache.get(text) ?? this.#prepare(text);
        return session.runMany(prepared, bound);
      });
      await setImmediate();
    }
    return affectedRows;
  }

  #isLast(): boolean {
    const shared = this.#shared;
    if (shared === undefined) return true;
    shared.users -= 1;
    if (shared.users > 0) return false;
    if (this.#settings.memory) this.#settings.memory.shared = undefined;
    return true;
  }

  #enter(): void {
    if (this.#over) throw sessionIsOver();
    const shared = this.#shared;
    if (shared === undefined) return;
    // A statement in between would become a part of the other's transaction.
    if (!this.#session.inTransaction) shared.holder = this;
    else if (shared.holder !== this) throw sessionIsHeld();
  }

  #prepare(text: string): Prepared {
    const prepared = this.#session.prepare(text);
    if (isWorthKeeping(prepared.verb)) this.#cache.put(text, prepared);
    return prepared;
  }

  #do<T>(work: (session: Session) => T): T {
    this.#enter();
    const before = this.#session.inTransaction;
    try {
      return work(this.#session);
    } catch (error) {
      throw this.#told(error, before);
    }
  }

  #told(error: unknown, before: boolean): unknown {
    const { memory } = this.#settings;
    const known = transactionFault(before, this.#session.inTransaction);
    const told = new SqliteError(failureOf(error), known);
    return memory ? rememberLoss(told, memory.opened) : told;
  }
}
