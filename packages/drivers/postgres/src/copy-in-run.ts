import { setImmediate } from 'node:timers/promises';
import { ConfigError, type NativeResult, QueryError } from '@dal/core';
import { AttendedRun } from './attended-run.ts';
import type { PgLine } from './pg-client.ts';
import { readTag } from './statement-run.ts';

/** Bytes that may wait in the socket; more only grows memory, for the server reads no faster. */
const MAX_QUEUED_BYTES = 262_144;

/**
 * `COPY ... FROM STDIN`: the server asks for data, and takes it until we say that it is all, or that
 * it is void. What was sent before an error leaves nothing behind.
 *
 * This is not left to pg-copy-streams: that sends the text by the simple protocol, in which several
 * statements fit into one text, rejects before the session is ready again, and doesn't end with
 * the line.
 */
export class CopyInRun extends AttendedRun {
  #isOpen = false;
  /** Said that it is all, or that it is void. */
  #ended = false;

  /** Sends the chunks as fast as the server takes them; settles when it is ready for the next statement. */
  async send(chunks: AsyncIterator<Buffer>): Promise<NativeResult> {
    try {
      while (!this.#isOpen && !this.#isOver) await this.change();
      await this.#feed(chunks);
      this.#end();
    } catch (error) {
      // The source failed: what it gave so far is void.
      this.#abandon(error);
    } finally {
      // Not waited for: a source that hangs must not keep the session.
      chunks.return?.().catch(() => undefined);
    }
    await this.whenSettled();
    if (this.failure !== undefined) throw this.failure as Error;
    const { command, affectedRows } = readTag(this.tag);
    return { rows: [], columns: [], affectedRows, command };
  }

  override interrupt(): void {
    // A server that waits for data doesn't hear a cancel.
    this.#abandon(
      new QueryError('COPY was stopped.', {
        kind: 'cancelled',
        code: 'DAL_CANCELLED',
        fault: { kind: 'cancelled', applied: 'no' },
      }),
    );
  }

  override handleCopyInResponse(_line: PgLine): void {
    this.#isOpen = true;
    this.notify();
  }

  override handleCommandComplete(message: { readonly text: string }, line: PgLine): void {
    if (!this.#isOpen) {
      this.fail(
        new ConfigError('The statement took no data: it is not COPY ... FROM STDIN.', {
          kind: 'usage',
          code: 'DAL_STATEMENT',
        }),
      );
    }
    super.handleCommandComplete(message, line);
  }

  protected override ask(line: PgLine): void {
    line.execute({});
    // While data is taken a Sync would be swallowed; it follows the end or the error.
    line.flush();
  }

  get #isOver(): boolean {
    return this.settled || this.failure !== undefined;
  }

  async #feed(chunks: AsyncIterator<Buffer>): Promise<void> {
    while (!this.#isOver) {
      const step = await this.#orOver(chunks.next());
      if (step === undefined || step.done || this.#isOver) return;
      this.line?.sendCopyFromChunk(step.value);
      // A line that takes all at once would keep the server's error and every timer from being heard.
      await setImmediate();
      const stream = this.line?.stream;
      if (stream && stream.writableLength > MAX_QUEUED_BYTES && !this.#isOver) {
        const drained = (): void => this.notify();
        stream.once('drain', drained);
        await this.change();
        stream.off('drain', drained);
      }
    }
  }

  #end(): void {
    if (this.#ended || this.#isOver) return;
    this.#ended = true;
    this.line?.endCopyFrom();
    this.sync();
  }

  #abandon(error: unknown): void {
    if (this.#ended || this.#isOver) return;
    this.#ended = true;
    this.fail(error);
    this.line?.sendCopyFail('the client gave up');
    this.sync();
    this.notify();
  }

  /** The step, or undefined when the run is over before. */
  #orOver<T>(step: Promise<T>): Promise<T | undefined> {
    return Promise.race([step, this.change() as Promise<undefined>]);
  }
}
