import type { PGlite } from '@electric-sql/pglite';
import type {
  DriverConnection,
  DriverVersion,
  NativeResult,
  NativeStatement,
  SessionStatus,
} from '@dal/core';
import type { Engine } from './engine.ts';
import { PgliteError } from './pglite-faults.ts';
import type { PgliteSettings } from './pglite-options.ts';
import { encodeValue, parsersFor, serializers } from './pglite-types.ts';

const CURSOR = 'dal_stream';

/** One session. PostgreSQL runs in the thread of its caller: nothing can stop a statement. */
export class PgliteConnection implements DriverConnection<PGlite> {
  readonly #engine: Engine;
  readonly #parsers: ReturnType<typeof parsersFor>;
  #failed = false;
  #ended: Promise<void> | undefined;

  constructor(engine: Engine, settings: PgliteSettings) {
    this.#engine = engine;
    this.#parsers = parsersFor(settings);
  }

  get raw(): PGlite {
    return this.#engine.database;
  }

  async query({ text, values, rowMode }: NativeStatement): Promise<NativeResult> {
    this.#enter();
    // PostgreSQL answers nothing to nothing.
    if (/^[\s;]*$/.test(text)) {
      throw new PgliteError('The statement is empty.', { kind: 'usage', applied: 'no' });
    }
    try {
      const { rows, fields, affectedRows } = await this.raw.query<unknown[]>(
        text,
        values.map(encodeValue),
        { rowMode: 'array', parsers: this.#parsers, serializers },
      );
      this.#failed &&= !/^\s*rollback/i.test(text);
      const names = fields.map(({ name }) => name);
      return {
        rows:
          rowMode === 'array'
            ? rows
            : rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]]))),
        columns: fields.map(({ name, dataTypeID }) => ({ name, type: String(dataTypeID) })),
        affectedRows: affectedRows ?? 0,
      };
    } catch (error) {
      this.#failed = this.raw.isInTransaction();
      throw error;
    }
  }

  /** By a cursor, in a transaction of its own where none is open. */
  async *stream(
    statement: NativeStatement,
    batchSize: number,
  ): AsyncGenerator<unknown[], void, undefined> {
    if (!/^\s*(?:select|values|table)\b/i.test(statement.text)) {
      const { rows } = await this.query(statement);
      for (let at = 0; at < rows.length; at += batchSize) yield rows.slice(at, at + batchSize);
      return;
    }
    const own = this.status() === 'idle';
    const say = (text: string): Promise<NativeResult> =>
      this.query({ text, values: [], rowMode: statement.rowMode });
    if (own) await say('BEGIN');
    let word = 'ROLLBACK';
    try {
      const text = `DECLARE ${CURSOR} NO SCROLL CURSOR FOR ${statement.text.replace(/[\s;]+$/, '')}`;
      await this.query({ ...statement, text });
      for (;;) {
        const { rows } = await say(`FETCH ${batchSize} FROM ${CURSOR}`);
        if (rows.length === 0) break;
        yield rows;
      }
      word = 'COMMIT';
    } finally {
      if (own) await say(word);
      else if (this.status() === 'transaction') await say(`CLOSE ${CURSOR}`);
    }
  }

  status(): SessionStatus {
    if (this.#ended || !this.raw.isInTransaction() || this.#engine.holder !== this) return 'idle';
    return this.#failed ? 'failed' : 'transaction';
  }

  async reset(): Promise<void> {
    this.#enter();
    await this.#tidy();
  }

  async version(): Promise<DriverVersion> {
    // `PostgreSQL 18.6 (PGlite 0.5.16) on wasm32...`
    const { rows } = await this.raw.query<{ version: string }>('SELECT version()');
    const words = rows[0]?.version ?? '';
    return {
      serverVersion: /^PostgreSQL (\S+)/.exec(words)?.[1] ?? words,
      flavor: 'pglite',
      driver: '@electric-sql/pglite',
      driverVersion: /PGlite ([^)\s]+)/.exec(words)?.[1] ?? 'unknown',
    };
  }

  /** Resolves when the folder is closed, if nobody else has it open. */
  close(): Promise<void> {
    return (this.#ended ??= this.#end());
  }

  destroy(): void {
    void this.close();
  }

  async #end(): Promise<void> {
    // Others who use this PostgreSQL inherit nothing.
    if (this.#engine.holder === this) await this.#tidy().catch(() => undefined);
    await this.#engine.leave();
  }

  async #tidy(): Promise<void> {
    await this.raw.exec('ROLLBACK');
    await this.raw.exec('DISCARD ALL');
    await this.raw.exec("SET TIME ZONE 'UTC'");
    this.#failed = false;
    this.#engine.holder = undefined;
  }

  #enter(): void {
    if (this.#ended) {
      throw new PgliteError('The session is closed.', {
        kind: 'connection',
        connectionLost: true,
        applied: 'no',
      });
    }
    // A statement in between would become a part of the other's transaction.
    if (this.raw.isInTransaction() && this.#engine.holder !== this) {
      throw new PgliteError('Another session of this PGlite has a transaction open.', {
        kind: 'lockTimeout',
        applied: 'no',
      });
    }
    this.#engine.holder = this;
  }
}
