/** Runs prepared statements on one open database, and says what columns their rows have. */
import type { Bound } from './bind-cell.ts';
import type { ColumnWatch } from './column-watch.ts';
import { type Description, NO_COLUMNS } from './description.ts';
import type { SqliteDatabase } from './native-database.ts';
import type { Prepared } from './prepared.ts';
import { safeInteger } from './read-cells.ts';
import type { AsLibrary } from './session-messages.ts';

export interface SessionResult {
  readonly description: Description;
  /** As SQLite gave them, whole numbers as bigints; `description.readers` make them the user's. */
  readonly rows: unknown[];
  /** The rows are arrays, also when objects were asked for and could not be had. */
  readonly asArrays: boolean;
  readonly affectedRows: number;
  readonly insertId: number | bigint | undefined;
  readonly verb: string;
  /** What the library's `run` answered, of a statement without rows. */
  readonly run?: LibraryRun;
}

/** As better-sqlite3 has it: the id is that of the last row that the session inserted, whenever that was. */
export interface LibraryRun {
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}

/** Rows, up to which it is cheaper to take them apart than to ask for the schema's number. */
const SHORT = 20;
const cellsOf = (row: unknown): unknown[] => Object.values(row as object);

/** Every method throws better-sqlite3's own errors. */
export class StatementRunner {
  readonly #watch: ColumnWatch;
  readonly #changes: () => number;
  readonly #lastId: () => bigint;

  constructor(database: SqliteDatabase, watch: ColumnWatch) {
    this.#watch = watch;
    const changes = database.prepare<[], number>('SELECT changes()').pluck().safeIntegers(false);
    const lastId = database.prepare<[], bigint>('SELECT last_insert_rowid()').pluck();
    this.#changes = () => changes.get() ?? 0;
    this.#lastId = () => lastId.get() ?? 0n;
  }

  run(prepared: Prepared, values: Bound[], asObjects: boolean): SessionResult {
    wantBigints(prepared, true);
    return prepared.reader
      ? this.#read(prepared, values, asObjects)
      : this.#change(prepared, values);
  }

  /** Rows are arrays with the library's own values, which nobody has to read any more. */
  runAsLibrary(prepared: Prepared, values: Bound[], as: AsLibrary): SessionResult {
    wantBigints(prepared, as === 'libraryBigints');
    return prepared.reader ? this.#readArrays(prepared, values) : this.#change(prepared, values);
  }

  /** Answers how many rows it changed. */
  runMany(prepared: Prepared, rows: readonly Bound[][]): number {
    const { statement } = prepared;
    let affectedRows = 0;
    for (const values of rows) {
      if (prepared.reader) affectedRows += this.#read(prepared, values, false).affectedRows;
      else affectedRows += statement.run(values).changes;
    }
    return affectedRows;
  }

  #read(prepared: Prepared, values: Bound[], asObjects: boolean): SessionResult {
    // Objects bring their names along. For a few rows that is cheaper than to ask for the schema's
    // number, also where arrays are wanted.
    const { description: known, readonly, short } = prepared;
    if (readonly && (asObjects || (short && known.inOrder))) {
      const result = this.#readObjects(prepared, values);
      const { plainObjects, inOrder } = result.description;
      if (asObjects ? plainObjects : inOrder && plainObjects) {
        return asObjects ? result : { ...result, rows: result.rows.map(cellsOf), asArrays: true };
      }
      // Now with names that objects can't have; it only reads, so it may run again.
    }
    return this.#readArrays(prepared, values);
  }

  #readObjects(prepared: Prepared, values: Bound[]): SessionResult {
    wantRaw(prepared, false);
    const rows = prepared.statement.all(values);
    const description = this.#watch.ofObjects(prepared, rows);
    prepared.short = rows.length <= SHORT;
    const { verb } = prepared;
    return { description, rows, asArrays: false, affectedRows: 0, insertId: undefined, verb };
  }

  #readArrays(prepared: Prepared, values: Bound[]): SessionResult {
    wantRaw(prepared, true);
    const before = this.#watch.before(prepared);
    const rows = prepared.statement.all(values);
    const affectedRows = prepared.changesData ? this.#changes() : 0;
    const insertId =
      prepared.insertsOnly && affectedRows > 0 ? safeInteger(this.#lastId()) : undefined;
    const description = this.#watch.ofArrays(prepared, before);
    prepared.short = rows.length <= SHORT;
    const { verb } = prepared;
    return { description, rows, asArrays: true, affectedRows, insertId, verb };
  }

  #change({ statement, insertsOnly, verb }: Prepared, values: Bound[]): SessionResult {
    const run = statement.run(values);
    const { changes, lastInsertRowid } = run;
    return {
      run,
      description: NO_COLUMNS,
      rows: [],
      asArrays: false,
      affectedRows: changes,
      insertId: insertsOnly && changes > 0 ? safeInteger(lastInsertRowid) : undefined,
      verb,
    };
  }
}

function wantBigints(prepared: Prepared, bigints: boolean): void {
  if (prepared.bigints === bigints) return;
  prepared.statement.safeIntegers(bigints);
  prepared.bigints = bigints;
}

function wantRaw(prepared: Prepared, raw: boolean): void {
  if (prepared.raw === raw) return;
  prepared.statement.raw(raw);
  prepared.raw = raw;
}
