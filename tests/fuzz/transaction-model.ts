/** The rows of one table, as a transaction sees them. */
export type Rows = ReadonlyMap<number, number>;

interface Savepoint {
  readonly name: string;
  readonly rows: Rows;
}

/** What a database promises of transactions, in a few lines: the truth that the real ones are held to. */
export class TransactionModel {
  committed: Rows = new Map();
  /** The open transaction, if there is one. */
  open: { rows: Rows; savepoints: Savepoint[]; failed: boolean } | undefined;
  #names = 0;

  get rows(): Rows {
    return this.open?.rows ?? this.committed;
  }

  get failed(): boolean {
    return this.open?.failed === true;
  }

  begin(): void {
    this.open = { rows: this.committed, savepoints: [], failed: false };
  }

  /** False when the server has to roll back instead. */
  commit(): boolean {
    const { open } = this;
    this.open = undefined;
    if (open === undefined || open.failed) return false;
    this.committed = open.rows;
    return true;
  }

  /** A ROLLBACK, or the end of the session: to an open transaction it is the same. */
  rollback(): void {
    this.open = undefined;
  }

  savepoint(): string {
    const name = `s${++this.#names}`;
    this.open?.savepoints.push({ name, rows: this.open.rows });
    return name;
  }

  rollbackTo(name: string): void {
    const { open } = this;
    const place = open?.savepoints.findIndex((savepoint) => savepoint.name === name) ?? -1;
    if (open === undefined || place < 0) return;
    open.rows = open.savepoints[place]?.rows ?? open.rows;
    open.savepoints.length = place + 1;
    open.failed = false;
  }

  release(name: string): void {
    const { open } = this;
    const place = open?.savepoints.findIndex((savepoint) => savepoint.name === name) ?? -1;
    if (open && place >= 0) open.savepoints.length = place;
  }

  write(change: (rows: Map<number, number>) => void): void {
    const rows = new Map(this.rows);
    change(rows);
    if (this.open) this.open.rows = rows;
    else this.committed = rows;
  }
}
