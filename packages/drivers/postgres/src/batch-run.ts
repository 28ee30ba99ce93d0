import type { NativeStatement } from '@dal/core';
import type { PgLine } from './pg-client.ts';
import { type StatementContext, StatementRun } from './statement-run.ts';

/**
 * A statement whose rows are fetched batch by batch: the server waits until the next one is asked
 * for, so that a slow reader costs no memory here.
 */
export class BatchRun extends StatementRun {
  readonly #batchSize: number;
  #line: PgLine | undefined;
  /** The Sync that ends the exchange; a second one would answer in the place of a later statement. */
  #synced = false;
  #suspended = false;
  #wake: (() => void) | undefined;

  constructor(statement: NativeStatement, context: StatementContext, batchSize: number) {
    // A stream lasts; a name would save it little, and could fail for a table that has changed.
    super({ ...statement, name: undefined }, context);
    this.#batchSize = batchSize;
  }

  /** The next rows; an empty list after the last one. Rejects with what went wrong. */
  async next(): Promise<unknown[]> {
    if (this.#suspended && !this.settled) {
      this.#suspended = false;
      this.#line?.execute({ rows: this.#batchSize });
      this.#line?.flush();
    }
    while (!this.#suspended && !this.settled) await this.#change();
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
    this.#line?.close({ type: 'P' });
    this.#sync();
    while (!this.settled) await this.#change();
  }

  override handlePortalSuspended(_line: PgLine): void {
    this.#suspended = true;
    this.#notify();
  }

  override handleCommandComplete(message: { readonly text: string }, line: PgLine): void {
    super.handleCommandComplete(message, line);
    this.#sync();
  }

  override handleEmptyQuery(line: PgLine): void {
    super.handleEmptyQuery(line);
    this.#sync();
  }

  override handleCopyInResponse(line: PgLine): void {
    this.#synced = true;
    super.handleCopyInResponse(line);
  }

  override handleError(error: unknown, line: PgLine): void {
    this.#sync();
    super.handleError(error, line);
  }

  protected override execute(line: PgLine): void {
    this.#line = line;
    line.execute({ rows: this.#batchSize });
    line.flush();
  }

  protected override succeed(): void {
    this.#notify();
  }

  protected override reject(): void {
    this.#notify();
  }

  #sync(): void {
    if (this.#synced) return;
    this.#synced = true;
    this.#line?.sync();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
