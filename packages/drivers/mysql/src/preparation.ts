import { closePacket, preparePacket } from './message.ts';
import { ERROR, errorOf, isEof, type Packet, type Prepared, type Wire } from './protocol.ts';

/** Prepares a text. One of mysql2's commands: `execute` is called with each packet until it says true. */
export class Preparation {
  readonly onResult: (error: Error | null, prepared?: Prepared) => void;
  readonly #text: string;
  #prepared: Prepared | undefined;
  /** Lists of descriptions that are still to come, of values and of columns; a mark ends each. */
  #lists = 0;

  constructor(text: string, answered: (error: Error | null, prepared?: Prepared) => void) {
    this.#text = text;
    this.onResult = answered;
  }

  execute(packet: Packet | undefined, wire: Wire): boolean {
    if (packet === undefined) {
      wire._resetSequenceId();
      wire.writePacket(preparePacket(this.#text));
      return false;
    }
    const { buffer, offset } = packet;
    if (buffer[offset] === ERROR) {
      this.onResult(errorOf(packet, wire, this.#text));
      return true;
    }
    if (this.#prepared === undefined) {
      const columns = buffer.readUInt16LE(offset + 5);
      const takes = buffer.readUInt16LE(offset + 7);
      this.#prepared = {
        id: buffer.readUInt32LE(offset + 1),
        takes,
        shapes: [undefined, undefined],
      };
      this.#lists = (takes > 0 ? 1 : 0) + (columns > 0 ? 1 : 0);
    } else if (isEof(packet)) {
      this.#lists--;
    }
    if (this.#lists > 0) return false;
    this.onResult(null, this.#prepared);
    return true;
  }
}

/** Closes a statement on the server, which doesn't answer. */
export class Closing {
  readonly onResult = (): void => undefined;
  readonly #id: number;

  constructor(id: number) {
    this.#id = id;
  }

  execute(_: unknown, wire: Wire): boolean {
    wire._resetSequenceId();
    wire.writePacket(closePacket(this.#id));
    return true;
  }
}
