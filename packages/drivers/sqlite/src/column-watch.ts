import { type Description, describeStatement, fitsKeys } from './description.ts';
import type { SqliteDatabase } from './native-database.ts';
import { NEVER, type Prepared } from './prepared.ts';
import type { CellSettings } from './read-cells.ts';

/** How long another process's change of a column's declared type may stay unseen, at most. */
const LOOK_EVERY_MS = 1;

/**
 * Keeps the columns of prepared statements true. SQLite prepares a statement again by itself when
 * the schema has changed, perhaps by another process, and `SELECT *` then has other columns; asking
 * for them each time would double the price of a short read.
 *
 * Rows that are objects carry their names from SQLite itself, so names are compared with each
 * answer; the schema's number is asked for now and then, for the declared types. Where names don't
 * come with the rows, the number is asked for each time.
 */
export class ColumnWatch {
  readonly #settings: CellSettings;
  readonly #alone: boolean;
  readonly #version: () => number;
  /** Counts what this session did to the schema. */
  #own = 0;
  /** Counts the changes that were seen, own ones and others'. */
  #epoch = 0;
  #seen = NEVER;
  #trusts = true;
  #lookedAt = -Infinity;

  /** @param alone nobody else can change the schema, as in memory */
  constructor(database: SqliteDatabase, settings: CellSettings, alone: boolean) {
    this.#settings = settings;
    this.#alone = alone;
    const ask = database.prepare<[], number>('PRAGMA schema_version').pluck().safeIntegers(false);
    this.#version = () => ask.get() ?? 0;
  }

  /** This session changed the schema, or may have. */
  changed(verb: string): void {
    this.#own += 1;
    this.#epoch += 1;
    // The schema of another file has a number of its own.
    if (verb === 'ATTACH') this.#trusts = false;
  }

  /** To be asked after a run whose rows are objects. */
  ofObjects(prepared: Prepared, rows: readonly unknown[]): Description {
    const row = rows[0] as object | undefined;
    // Without a row there are no names to compare.
    const isNews = (row === undefined || this.#isTime()) && this.#look();
    const { description, epoch } = prepared;
    if (epoch === this.#epoch && (row === undefined || fitsKeys(row, description.keys))) {
      return description;
    }
    // What was learned just now may have happened after the run; the next one describes it again.
    prepared.epoch = isNews || !this.#trusts ? NEVER : this.#epoch;
    return this.#describe(prepared);
  }

  /** To be asked before a run whose rows are arrays, and given to `ofArrays` after it. */
  before({ schema }: Prepared): number {
    return schema === NEVER ? this.#schema() : schema;
  }

  ofArrays(prepared: Prepared, before: number): Description {
    if (this.#schema() === prepared.schema) return prepared.description;
    // The number from before the run: when somebody changed the schema since, it will not fit.
    prepared.schema = prepared.schema === NEVER && this.#trusts ? before : NEVER;
    return this.#describe(prepared);
  }

  /** To be asked after the first step of a statement that was prepared for this one run. */
  ofNew(prepared: Prepared): Description {
    return this.#describe(prepared);
  }

  /**
   * The other way's stamp stays: while the schema is the one it names, a description that was made
   * since is as true.
   */
  #describe(prepared: Prepared): Description {
    prepared.description = describeStatement(prepared.statement, this.#settings);
    return prepared.description;
  }

  #isTime(): boolean {
    return !this.#alone && performance.now() - this.#lookedAt >= LOOK_EVERY_MS;
  }

  /** True when somebody else changed the schema since the last look. */
  #look(): boolean {
    if (this.#alone) return false;
    const version = this.#version();
    this.#lookedAt = performance.now();
    if (version === this.#seen) return false;
    this.#seen = version;
    this.#epoch += 1;
    return true;
  }

  #schema(): number {
    if (this.#alone) return this.#own;
    return this.#version() * 65_536 + (this.#own % 65_536);
  }
}
