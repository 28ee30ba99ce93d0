import type { NativeStatement } from '@dal/core';
import { AttendedRun } from './attended-run.ts';
import type { PgLine } from './pg-client.ts';
import type { StatementContext } from './statement-run.ts';

/**
 * A statement whose rows are fetched batch by batch: the server waits until the next one is asked
 * for, so that a slow reader costs no memory here.
 */
export class BatchRun extends AttendedRun {
  readonly #batchSize: number;
  #suspended = false;

  constructor(statement: NativeStatement, context: StatementContext, batchSize: number) {
    // A stream lasts; a name would save it little, and could fail for a table that has changed.
    super({ ...statement, name: undefined }, context);
    this.#batchSize = batchSize;
  }

  /** The next rows; an empty list after the last one. Rejects with what went wrong. */
  async next(): Promise<unknown[]> {
    if (this.#suspended && !this.settled) {
      this.#suspended = false;
      this.line?.execute({ rows: this.#batchSize });
      this.line?.flush();
    }
    while (!this.#suspended && !this.settled) await this.change();
    if (this.failure !== undefined) throw this.failure as Error;
    const { rows } = this;
    this.rows = [];
    return rows;
  }

  /** Frees the session; resolves when it takes the next statement, or is gone. */
  async leave(): Promise<void> {
    if (this.settled) return;
    this.#suspended = false;
    // Inside a transaction the open portal would hold its locks and snapshot until COMMIT.
    this.line?.close({ type: 'P' });
    this.sync();
    await this.whenSettled();
  }

  override handlePortalSuspended(_line: PgLine): void {
    this.#suspended = true;
    this.notify();
  }

  protected override ask(line: PgLine): void {
    line.execute({ rows: this.#batchSize });
    line.flush();
  }
}
