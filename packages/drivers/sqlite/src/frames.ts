/**
 * How messages travel between a session's process and its parent: four bytes of length, one of the
 * form, then the message. The form is JSON; the general one is there for what is longer than a text
 * may be.
 */
import { deserialize, serialize } from 'node:v8';

const HEAD = 5;
const JSON_FORM = 0x4a;
const GENERAL_FORM = 0x56;
/** Up to here a text is written at once into room for the worst case, three bytes for each unit. */
const SHORT = 8_192;

export function writeFrame(message: unknown): Buffer {
  const text = jsonText(message);
  if (text === undefined) {
    const body = serialize(message);
    const frame = Buffer.allocUnsafe(HEAD + body.length);
    body.copy(frame, HEAD);
    return sealed(frame, GENERAL_FORM);
  }
  const room = text.length <= SHORT ? text.length * 3 : Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEAD + room);
  return sealed(frame.subarray(0, HEAD + frame.write(text, HEAD)), JSON_FORM);
}

/** Puts frames together from whatever pieces arrive. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #length = 0;

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** How many bytes are missing until a message is complete; at least 1 unless `next` has one. */
  get missing(): number {
    if (this.#length < HEAD) return HEAD - this.#length;
    return Math.max(0, HEAD + this.#whole(HEAD).readUInt32LE(0) - this.#length);
  }

  /** The next message, in a list of its own because it may be undefined; undefined when there is none yet. */
  next(): readonly [message: unknown] | undefined {
    if (this.missing > 0) return undefined;
    const first = this.#whole(HEAD);
    const end = HEAD + first.readUInt32LE(0);
    const whole = this.#whole(end);
    const body = whole.subarray(HEAD, end);
    const rest = whole.subarray(end);
    this.#pieces.splice(0, 1, ...(rest.length > 0 ? [rest] : []));
    this.#length -= end;
    return [whole[4] === JSON_FORM ? (JSON.parse(body.toString()) as unknown) : deserialize(body)];
  }

  /** The first piece, made to hold as many bytes; long messages are joined once, when all is there. */
  #whole(bytes: number): Buffer {
    const [first] = this.#pieces;
    if (first !== undefined && first.length >= bytes) return first;
    const joined = Buffer.concat(this.#pieces);
    this.#pieces = [joined];
    return joined;
  }
}

function sealed(frame: Buffer, form: number): Buffer {
  frame.writeUInt32LE(frame.length - HEAD, 0);
  frame[4] = form;
  return frame;
}

function jsonText(message: unknown): string | undefined {
  try {
    return JSON.stringify(message);
  } catch {
    // Longer than a text may be.
    return undefined;
  }
}
