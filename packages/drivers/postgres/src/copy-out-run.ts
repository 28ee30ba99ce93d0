import { AttendedRun } from './attended-run.ts';
import { CHUNK_BYTES } from './copy-chunks.ts';
import type { PgLine } from './pg-client.ts';

/** Chunks that may wait for their reader before the server is held back. */
const MAX_QUEUED = 4;

/** `COPY ... TO STDOUT`: the server sends a message for each row; they are handed out in chunks. */
export class CopyOutRun extends AttendedRun {
  #ready: Buffer[] = [];
  /** Copied together here: the messages lie in a buffer that `pg` uses again. */
  #filling = Buffer.allocUnsafe(CHUNK_BYTES);
  #filled = 0;
  #dropping = false;

  /** The next chunk; undefined after the last one. Rejects with what went wrong. */
  async next(): Promise<Buffer | undefined> {
    while (this.#ready.length === 0 && !this.settled) {
      this.line?.stream.resume();
      await this.change();
    }
    if (this.failure !== undefined) throw this.failure as Error;
    const chunk = this.#ready.shift();
    if (chunk !== undefined || this.#filled === 0) return chunk;
    const last = this.#filling.subarray(0, this.#filled);
    this.#filled = 0;
    return last;
  }

  /** What still comes is of no interest; resolves when the session takes the next statement, or is gone. */
  async leave(): Promise<void> {
    this.#dropping = true;
    this.#ready = [];
    this.line?.stream.resume();
    await this.whenSettled();
  }

  override handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#dropping || this.failure !== undefined) return;
    for (let at = 0; at < chunk.length;) {
      const copied = chunk.copy(this.#filling, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled < CHUNK_BYTES) continue;
      this.#ready.push(this.#filling);
      this.#filling = Buffer.allocUnsafe(CHUNK_BYTES);
      this.#filled = 0;
    }
    if (this.#ready.length >= MAX_QUEUED) this.line?.stream.pause();
    if (this.#ready.length > 0) this.notify();
  }

  protected override ask(line: PgLine): void {
    line.execute({});
    this.sync();
  }
}
