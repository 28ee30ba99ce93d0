import { ConfigError } from '@dal/core';

/** What `copyFrom` takes: bytes or text in pieces of any size, in the format that the COPY names. */
export type CopySource =
  | string
  | Uint8Array
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>;

/** Small messages cost far more than their bytes: one row each makes COPY slower than INSERT. */
export const CHUNK_BYTES = 65_536;

/** Cuts and joins the pieces of a source into chunks of one size; closes the source when left early. */
export async function* copyChunks(
  pieces: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  const filling = new Filling();
  for await (const piece of pieces) {
    const bytes = filling.bytesOf(piece);
    for (let at = 0; at < bytes.length;) {
      at += filling.add(bytes, at);
      if (filling.isFull) yield filling.take();
    }
  }
  const last = filling.bytesOf('', true);
  filling.add(last, 0);
  if (!filling.isEmpty) yield filling.take();
}

/** A chunk that is being filled. */
class Filling {
  #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #length = 0;
  /** The first half of a character that was cut between two texts. */
  #half = '';

  get isFull(): boolean {
    return this.#length === CHUNK_BYTES;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  bytesOf(piece: unknown, isLast = false): Buffer {
    if (typeof piece === 'string') {
      let text = this.#half + piece;
      this.#half = '';
      const end = text.charCodeAt(text.length - 1);
      if (!isLast && end >= 0xd8_00 && end <= 0xdb_ff) {
        this.#half = text.slice(-1);
        text = text.slice(0, -1);
      }
      return Buffer.from(text);
    }
    if (piece instanceof Uint8Array) {
      return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    }
    throw new ConfigError(
      `The source of copyFrom gave ${piece === null ? 'null' : `a ${typeof piece}`}; it must give texts or bytes (Uint8Array). Rows of values go in with bulkInsert.`,
      { kind: 'usage', code: 'DAL_VALUE' },
    );
  }

  /** @returns how many bytes had room */
  add(bytes: Buffer, from: number): number {
    const added = bytes.copy(this.#buffer, this.#length, from);
    this.#length += added;
    return added;
  }

  take(): Buffer {
    const chunk = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    this.#length = 0;
    return chunk;
  }
}
