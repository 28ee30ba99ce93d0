/**
 * Writes the messages of one exchange into one buffer, so that they leave in one write and, encrypted,
 * in one record. The forms are those of the PostgreSQL manual, "Message Formats".
 *
 * There is one for all sessions: a flight is begun and taken without a pause in between.
 */
class Flight {
  #bytes = Buffer.allocUnsafe(START_BYTES);
  #at = 0;
  /** Where the length of the open message goes. */
  #lengthAt = 0;

  /** What an unfinished flight has left behind is dropped. */
  begin(): this {
    this.#at = 0;
    return this;
  }

  parse(name: string, text: string): this {
    this.#open(0x50);
    this.#cString(name);
    this.#cString(text);
    // The server finds out the types of the values.
    this.#int16(0);
    return this.#close();
  }

  /** Binds to the portal without a name; rows come as text. */
  bind(statement: string, values: readonly (string | Buffer | null)[]): this {
    const { length } = values;
    this.#open(0x42);
    this.#reserve(1);
    this.#bytes[this.#at++] = 0;
    this.#cString(statement);
    this.#formats(values);
    this.#int16(length);
    for (let index = 0; index < length; index++) {
      const value = values[index] as string | Buffer | null;
      if (value === null) this.#int32(-1);
      else if (typeof value === 'string') this.#sized(value);
      else this.#raw(value);
    }
    // No formats for the columns: all are text.
    this.#int16(0);
    return this.#close();
  }

  describePortal(): this {
    this.#open(0x44);
    this.#reserve(2);
    this.#bytes[this.#at++] = 0x50;
    this.#bytes[this.#at++] = 0;
    return this.#close();
  }

  execute(): this {
    this.#open(0x45);
    this.#reserve(1);
    this.#bytes[this.#at++] = 0;
    this.#int32(0);
    return this.#close();
  }

  closeStatement(name: string): this {
    this.#open(0x43);
    this.#reserve(1);
    this.#bytes[this.#at++] = 0x53;
    this.#cString(name);
    return this.#close();
  }

  sync(): this {
    this.#open(0x53);
    return this.#close();
  }

  get length(): number {
    return this.#at;
  }

  take(): Buffer {
    // A copy: the socket may keep it for as long as the server doesn't read.
    const flight = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(flight, 0, 0, this.#at);
    if (this.#bytes.length > MOST_KEPT_BYTES) this.#bytes = Buffer.allocUnsafe(START_BYTES);
    return flight;
  }

  #open(code: number): void {
    this.#reserve(5);
    this.#bytes[this.#at] = code;
    this.#lengthAt = this.#at + 1;
    this.#at += 5;
  }

  #close(): this {
    const end = this.#at;
    this.#at = this.#lengthAt;
    this.#int32(end - this.#lengthAt);
    this.#at = end;
    return this;
  }

  /** None when all are text, which is the usual case. */
  #formats(values: readonly (string | Buffer | null)[]): void {
    const { length } = values;
    let index = 0;
    while (index < length && !(values[index] instanceof Buffer)) index++;
    if (index === length) {
      this.#int16(0);
      return;
    }
    this.#int16(length);
    for (const value of values) this.#int16(value instanceof Buffer ? 1 : 0);
  }

  #sized(text: string): void {
    this.#reserve(4);
    const lengthAt = this.#at;
    this.#at += 4;
    this.#text(text);
    const end = this.#at;
    this.#at = lengthAt;
    this.#int32(end - lengthAt - 4);
    this.#at = end;
  }

  #raw(value: Buffer): void {
    this.#int32(value.length);
    this.#reserve(value.length);
    value.copy(this.#bytes, this.#at);
    this.#at += value.length;
  }

  #cString(text: string): void {
    this.#text(text);
    this.#reserve(1);
    this.#bytes[this.#at++] = 0;
  }

  #text(text: string): void {
    const { length } = text;
    if (length > SHORT) {
      this.#reserve(Buffer.byteLength(text));
      this.#at += this.#bytes.write(text, this.#at);
      return;
    }
    // Short texts are nearly always ASCII, and a call to the machine's own writer costs more.
    this.#reserve(length * 3);
    const bytes = this.#bytes;
    const start = this.#at;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) {
        this.#at += bytes.write(text, start);
        return;
      }
      bytes[start + index] = code;
    }
    this.#at = start + length;
  }

  #int16(value: number): void {
    this.#reserve(2);
    this.#bytes[this.#at++] = value >>> 8;
    this.#bytes[this.#at++] = value;
  }

  #int32(value: number): void {
    this.#reserve(4);
    const bytes = this.#bytes;
    bytes[this.#at++] = value >>> 24;
    bytes[this.#at++] = value >>> 16;
    bytes[this.#at++] = value >>> 8;
    bytes[this.#at++] = value;
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + more));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

const START_BYTES = 16_384;
/** One long statement doesn't hold its memory for ever. */
const MOST_KEPT_BYTES = 1_048_576;
const SHORT = 32;

export const flight: Flight = new Flight();
export type { Flight };
