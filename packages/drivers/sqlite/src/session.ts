/** One open SQLite database: everything that touches better-sqlite3, and nothing else. */
import { createRequire } from 'node:module';
import Sqlite from 'better-sqlite3';
import { columnKind, type ColumnKind } from './column-kind.ts';
import { connectionPragmas } from './pragmas.ts';
import {
  type Batch,
  type Cell,
  type LibraryVersion,
  READ_ONLY_TRANSACTION,
  type Request,
  type RunResult,
  type SessionSettings,
} from './session-messages.ts';
import { mayUpdateInstead, statementVerb } from './statement-verb.ts';

export type SqliteDatabase = Sqlite.Database;

export interface Session {
  /** better-sqlite3's object; another one after `reset`. */
  readonly database: SqliteDatabase;
  /** Does one request; throws better-sqlite3's errors. */
  serve(request: Request): unknown;
  close(): void;
}

/** Opens the file and sets it up. @throws better-sqlite3's errors */
export function openSession(settings: SessionSettings): Session {
  return new OpenSession(settings);
}

interface Prepared {
  readonly statement: Sqlite.Statement<unknown[], unknown[]>;
  readonly verb: string;
  readonly insertsOnly: boolean;
  columns: readonly string[];
  kinds: readonly ColumnKind[];
  /** The schema that `columns` belongs to. */
  schema: number;
}

interface OpenStream {
  readonly rows: IterableIterator<unknown[]>;
  readonly prepared: Prepared;
  readonly batchSize: number;
}

const NO_COLUMNS: readonly string[] = [];
const NEVER = -1;
const CHANGES_DATA = new Set('INSERT UPDATE DELETE REPLACE'.split(' '));
const KEEPS_SCHEMA = new Set(
  'INSERT UPDATE DELETE REPLACE SELECT VALUES EXPLAIN BEGIN COMMIT END SAVEPOINT RELEASE'.split(
    ' ',
  ),
);

class OpenSession implements Session {
  readonly #settings: SessionSettings;
  readonly #memory: boolean;
  #database: SqliteDatabase;
  #statements = new Map<string, Prepared>();
  #changes!: Sqlite.Statement<[], number>;
  #lastId!: Sqlite.Statement<[], bigint>;
  #schemaVersion!: Sqlite.Statement<[], bigint>;
  #stream: OpenStream | undefined;
  #queryOnly = false;
  /** Counts what this session did to the schema; the file's own counter tells of the others. */
  #ownChanges = 0;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
    this.#memory = settings.path === ':memory:';
    this.#database = this.#open();
  }

  get database(): SqliteDatabase {
    return this.#database;
  }

  serve(request: Request): unknown {
    switch (request[0]) {
      case 'run':
        return this.#run(request[1], request[2]);
      case 'open':
        return this.#openStream(request[1], request[2], request[3]);
      case 'next':
        return this.#nextBatch();
      case 'end':
        this.#endStream();
        return undefined;
      case 'reset':
        this.#reset();
        return undefined;
      case 'version':
      default:
        return this.#version();
    }
  }

  close(): void {
    this.#stream = undefined;
    this.#statements.clear();
    this.#database.close();
  }

  #open(): SqliteDatabase {
    const { path, readOnly, createIfMissing, busyTimeoutMs } = this.#settings;
    const database = new Sqlite(path, {
      // A database in memory starts empty, so it can be locked only after it was opened.
      readonly: readOnly && !this.#memory,
      fileMustExist: !this.#memory && (readOnly || !createIfMissing),
      timeout: busyTimeoutMs,
    });
    try {
      database.defaultSafeIntegers(true);
      connectionPragmas(database, this.#settings);
      this.#changes = database.prepare<[], number>('SELECT changes()').pluck().safeIntegers(false);
      this.#lastId = database.prepare<[], bigint>('SELECT last_insert_rowid()').pluck();
      this.#schemaVersion = database.prepare<[], bigint>('PRAGMA schema_version').pluck();
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  }

  #run(text: string, values: Cell[]): RunResult {
    // A database that was opened for reading has no write lock to take.
    const sql = this.#settings.readOnly && text === 'BEGIN IMMEDIATE' ? 'BEGIN' : text;
    try {
      const prepared = this.#prepare(sql);
      const { statement, verb } = prepared;
      bindWholeNumbers(values);
      if (!statement.reader) {
        const { changes, lastInsertRowid } = statement.run(values);
        if (!KEEPS_SCHEMA.has(verb)) this.#ownChanges += 1;
        return {
          columns: NO_COLUMNS,
          rows: [],
          affectedRows: changes,
          insertId: prepared.insertsOnly && changes > 0 ? safe(lastInsertRowid) : undefined,
          verb,
        };
      }
      const before = this.#schema();
      const rows = statement.all(values);
      this.#describe(prepared, before, rows[0]);
      this.#readCells(rows, prepared.kinds);
      const changes = CHANGES_DATA.has(verb) ? (this.#changes.get() ?? 0) : 0;
      if (!KEEPS_SCHEMA.has(verb)) this.#ownChanges += 1;
      return {
        columns: prepared.columns,
        rows,
        affectedRows: changes,
        insertId: prepared.insertsOnly && changes > 0 ? safe(this.#lastId.get() ?? 0n) : undefined,
        verb,
      };
    } finally {
      this.#followQueryOnly(sql);
    }
  }

  #prepare(text: string): Prepared {
    const known = this.#statements.get(text);
    if (known !== undefined) {
      // The newest stands last; the first is the one to go.
      this.#statements.delete(text);
      this.#statements.set(text, known);
      return known;
    }
    const prepared = this.#prepareAnew(text);
    // Words that run once or change what others mean are not worth a place.
    if (KEEPS_SCHEMA.has(prepared.verb) || prepared.verb === 'ROLLBACK') {
      this.#statements.set(text, prepared);
      if (this.#statements.size > this.#settings.statementCacheSize) {
        const [oldest] = this.#statements.keys();
        if (oldest !== undefined) this.#statements.delete(oldest);
      }
    }
    return prepared;
  }

  #prepareAnew(text: string): Prepared {
    const statement = this.#database.prepare<unknown[], unknown[]>(text);
    if (statement.reader) statement.raw(true);
    const verb = statementVerb(text);
    return {
      statement,
      verb,
      insertsOnly: (verb === 'INSERT' || verb === 'REPLACE') && !mayUpdateInstead(text),
      columns: NO_COLUMNS,
      kinds: [],
      schema: NEVER,
    };
  }

  /**
   * Keeps the columns of a prepared statement true. SQLite prepares a statement again by itself
   * when the schema has changed, perhaps by another process, and `SELECT *` then has other columns;
   * asking for them each time would cost more than the statement.
   */
  #describe(prepared: Prepared, before: number, row: unknown[] | undefined): void {
    const fits = row === undefined || row.length * 2 === prepared.columns.length;
    if (prepared.schema === before && fits && this.#schema() === before) return;
    nameColumns(prepared);
    prepared.schema = this.#schema() === before ? before : NEVER;
  }

  #schema(): number {
    // Nobody else can change a database in memory.
    if (this.#memory) return this.#ownChanges;
    return Number(this.#schemaVersion.get() ?? 0n) * 65_536 + (this.#ownChanges % 65_536);
  }

  /** Whole numbers arrive as bigints, so that none loses digits; here they get the user's type. */
  #readCells(rows: unknown[][], kinds: readonly ColumnKind[]): void {
    const { integers, decimals } = this.#settings;
    for (const row of rows) {
      for (let index = 0; index < row.length; index++) {
        const cell = row[index];
        const kind = kinds[index];
        if (kind === 'decimal' && isNumeral(cell)) {
          row[index] = decimals === 'number' ? Number(cell) : String(cell);
        } else if (typeof cell === 'bigint') {
          if (kind === 'boolean' && (cell === 0n || cell === 1n)) row[index] = cell === 1n;
          else if (integers === 'safe') row[index] = safe(cell);
          else row[index] = otherInteger(cell, integers);
        }
      }
    }
  }

  #openStream(text: string, values: Cell[], batchSize: number): Batch {
    this.#endStream();
    // Its own statement: one that is being read cannot run a second time.
    const prepared = this.#prepareAnew(text);
    bindWholeNumbers(values);
    if (!prepared.statement.reader) {
      prepared.statement.run(values);
      return { columns: NO_COLUMNS, rows: [], done: true };
    }
    this.#stream = { rows: prepared.statement.iterate(values), prepared, batchSize };
    return this.#nextBatch();
  }

  #nextBatch(): Batch {
    const stream = this.#stream;
    if (stream === undefined) return { columns: NO_COLUMNS, rows: [], done: true };
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
      const { prepared } = stream;
      if (prepared.schema === NEVER) {
        // After the first step, for only that brings a stale statement up to date.
        nameColumns(prepared);
        prepared.schema = 0;
      }
      this.#readCells(rows, prepared.kinds);
      if (done) this.#stream = undefined;
      return { columns: prepared.columns, rows, done };
    } catch (error) {
      this.#endStream();
      throw error;
    }
  }

  #endStream(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.rows.return?.();
  }

  /** A session as new: a file is opened again, a database in memory is tidied, for it would be lost. */
  #reset(): void {
    this.#endStream();
    if (this.#memory) {
      this.#tidy();
      return;
    }
    this.#statements.clear();
    this.#database.close();
    this.#queryOnly = false;
    this.#database = this.#open();
  }

  #tidy(): void {
    const database = this.#database;
    if (database.inTransaction) database.exec('ROLLBACK');
    database.pragma('query_only = OFF');
    const temporary = database
      .prepare<[], [string, string]>(
        "SELECT type, name FROM sqlite_temp_master WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite_%'",
      )
      .raw()
      .all();
    for (const [type, name] of temporary) {
      database.exec(`DROP ${type} IF EXISTS temp."${name.replaceAll('"', '""')}"`);
    }
    const attached = database
      .prepare<[], string>('SELECT name FROM pragma_database_list')
      .pluck()
      .all();
    for (const name of attached) {
      if (name !== 'main' && name !== 'temp') {
        database.exec(`DETACH "${name.replaceAll('"', '""')}"`);
      }
    }
    this.#queryOnly = false;
    this.#ownChanges += 1;
    connectionPragmas(database, this.#settings);
  }

  /** A transaction for reading sets `query_only`; its end takes that back, however it ended. */
  #followQueryOnly(text: string): void {
    if (text === READ_ONLY_TRANSACTION) this.#queryOnly = true;
    else if (this.#queryOnly && !this.#database.inTransaction) {
      this.#queryOnly = false;
      if (!this.#settings.readOnly) this.#database.pragma('query_only = OFF');
    }
  }

  #version(): LibraryVersion {
    const sqlite = this.#database.prepare<[], string>('SELECT sqlite_version()').pluck().get();
    const manifest = createRequire(import.meta.url)('better-sqlite3/package.json') as {
      version: string;
    };
    return { sqlite: sqlite ?? '', library: manifest.version };
  }
}

function nameColumns(prepared: Prepared): void {
  const described = prepared.statement.columns();
  prepared.columns = described.flatMap(({ name, type }) => [name, type ?? '']);
  prepared.kinds = described.map(({ type }) => columnKind(type ?? ''));
}

/** better-sqlite3 binds every number as REAL, which turns 5 into `5.0` in a TEXT column. */
function bindWholeNumbers(values: Cell[]): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)) {
      values[index] = BigInt(value);
    }
  }
}

/** Text is a numeral too: a type with TEXT in it keeps the digits as they came. */
function isNumeral(cell: unknown): cell is number | bigint | string {
  return typeof cell === 'bigint' || typeof cell === 'number' || typeof cell === 'string';
}

function safe(value: number | bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function otherInteger(value: bigint, mode: SessionSettings['integers']): number | bigint | string {
  if (mode === 'bigint') return value;
  if (mode === 'text') return String(value);
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw Object.assign(
    new RangeError(
      'A whole number in the result does not fit a JavaScript number. Use integers: "safe" or "bigint".',
    ),
    { code: 'DAL_VALUE_RANGE' },
  );
}
