import type { PgLine } from './pg-client.ts';
import { StatementRun } from './statement-run.ts';

/** A statement that somebody reads from, or feeds, while it is under way. */
export abstract class AttendedRun extends StatementRun {
  protected line: PgLine | undefined;
  /** The Sync that ends the exchange; a second one would answer in the place of a later statement. */
  #synced = false;
  #wake: (() => void) | undefined;

  override handlePortalSuspended(_line: PgLine): void {
    // Only a run that asks for a number of rows is suspended.
  }

  override handleCommandComplete(message: { readonly text: string }, line: PgLine): void {
    super.handleCommandComplete(message, line);
    this.sync();
    this.notify();
  }

  override handleEmptyQuery(line: PgLine): void {
    super.handleEmptyQuery(line);
    this.sync();
    this.notify();
  }

  override handleCopyInResponse(line: PgLine): void {
    // The refusal ends the exchange itself.
    this.#synced = true;
    super.handleCopyInResponse(line);
  }

  override handleError(error: unknown, line: PgLine): void {
    this.sync();
    super.handleError(error, line);
    this.notify();
  }

  protected override execute(line: PgLine): void {
    this.line = line;
    this.ask(line);
  }

  /** Asks for the answer, or the first part of it. */
  protected abstract ask(line: PgLine): void;

  protected override succeed(): void {
    this.notify();
  }

  protected override reject(): void {
    this.notify();
  }

  /** Ends the exchange, once. */
  protected sync(): void {
    if (this.#synced) return;
    this.#synced = true;
    this.line?.sync();
  }

  /** Until the session takes the next statement, or is gone. */
  protected async whenSettled(): Promise<void> {
    while (!this.settled) await this.change();
  }

  /** Until something happened, whatever it was. */
  protected change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  protected notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
