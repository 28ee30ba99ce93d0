import { type Dialect, isDalError, type Queryable, quoteIdentifier, type Row } from '@dal/core';
import { checksumOf } from './read-migration.ts';
import type { ScriptStatement } from './split-statements.ts';

/** What the database remembers of one migration. */
export interface HistoryRow {
  readonly name: string;
  /** The file's name when it ran. */
  readonly file: string;
  /** Of the file; while it is half-way, of the statements that are surely done. */
  readonly checksum: string;
  /** `applying`, `reverting`: it began outside of a transaction, and its end was not written down. */
  readonly state: 'applied' | 'applying' | 'reverting';
  /** The first statement that is not surely done, from 1. */
  readonly statement: number;
  /** What failed; null when nobody could write that down any more. */
  readonly failure: string | null;
  readonly at: Date;
}

/** Which migrations have run: a table in the same database, written in the same transaction. */
export class History {
  readonly #dialect: Dialect;
  readonly #table: string;
  #quoted: string;

  constructor(dialect: Dialect, table: string) {
    this.#dialect = dialect;
    this.#table = table;
    this.#quoted = quoteIdentifier(table, dialect);
  }

  /** Finds the table, and makes it when `create` is set and it is not there. */
  async open(on: Queryable, create: boolean): Promise<boolean> {
    if (await this.#find(on)) return true;
    if (!create) return false;
    const { key, text, integer, timestamp } = this.#dialect.types;
    await on.execute(
      `CREATE TABLE ${this.#quoted} (name ${key} NOT NULL PRIMARY KEY, file ${key} NOT NULL, checksum ${key} NOT NULL, state ${key} NOT NULL, statement_number ${integer} NOT NULL, failure ${text}, changed_at ${timestamp} NOT NULL)`,
    );
    return this.#find(on);
  }

  async rows(on: Queryable): Promise<HistoryRow[]> {
    const rows = await on.query(
      `SELECT name, file, checksum, state, statement_number, failure, changed_at FROM ${this.#quoted}`,
      [],
      { idempotent: true },
    );
    return rows.map(toHistoryRow);
  }

  async put(on: Queryable, row: Omit<HistoryRow, 'at'>): Promise<void> {
    const { name, file, checksum, state, statement, failure } = row;
    const values = [file, checksum, state, statement, failure, new Date(), name];
    const { affectedRows } = await on.execute(
      `UPDATE ${this.#quoted} SET file = ?, checksum = ?, state = ?, statement_number = ?, failure = ?, changed_at = ? WHERE name = ?`,
      values,
    );
    if (affectedRows > 0) return;
    await on.execute(
      `INSERT INTO ${this.#quoted} (file, checksum, state, statement_number, failure, changed_at, name) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      values,
    );
  }

  async remove(on: Queryable, name: string): Promise<void> {
    await on.execute(`DELETE FROM ${this.#quoted} WHERE name = ?`, [name]);
  }

  /** Where the table is, with its schema, so that a migration may change the search path. */
  async #find(on: Queryable): Promise<boolean> {
    if (this.#dialect.catalog === undefined) return this.#answers(on);
    if (!(await on.schema.tableExists(this.#table))) return false;
    const tables = await on.schema.tables();
    const found = tables.find(({ name }) => name === this.#table);
    if (found) {
      this.#quoted = [found.schema, found.name]
        .map((part) => quoteIdentifier(part, this.#dialect))
        .join('.');
    }
    return true;
  }

  async #answers(on: Queryable): Promise<boolean> {
    try {
      await on.query(`SELECT name FROM ${this.#quoted} WHERE name = ?`, ['']);
      return true;
    } catch (error) {
      if (isDalError(error) && error.kind === 'schema') return false;
      throw error;
    }
  }
}

/** So that a half-way migration goes on only behind what was really done. */
export function checksumOfDone(statements: readonly ScriptStatement[], done: number): string {
  return checksumOf(
    statements
      .slice(0, done)
      .map(({ text }) => text)
      .join('\0'),
  );
}

function toHistoryRow(row: Row): HistoryRow {
  const { state, failure, changed_at: at } = row;
  return {
    name: String(row['name']),
    file: String(row['file']),
    checksum: String(row['checksum']),
    state: state === 'applying' || state === 'reverting' ? state : 'applied',
    statement: Number(row['statement_number']),
    failure: typeof failure === 'string' ? failure : null,
    at: at instanceof Date ? at : new Date(String(at)),
  };
}
