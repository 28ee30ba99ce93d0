/** One message to the server, in the shape that mysql2's connection sends. */
export interface OutgoingPacket {
  /** Four bytes of header, then the message. */
  readonly buffer: Buffer;
  length(): number;
  writeHeader(sequenceId: number): void;
}

/** Bytes in front of each message, which `writeHeader` fills. */
export const HEADER = 4;

export class Message implements OutgoingPacket {
  readonly buffer: Buffer;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  length(): number {
    return this.buffer.length;
  }

  writeHeader(sequenceId: number): void {
    this.buffer.writeUIntLE(this.buffer.length - HEADER, 0, 3);
    this.buffer[3] = sequenceId;
  }
}

/** Prepares a text. */
export function preparePacket(text: string): OutgoingPacket {
  const buffer = Buffer.allocUnsafe(HEADER + 1 + Buffer.byteLength(text));
  buffer[HEADER] = COM_STMT_PREPARE;
  buffer.write(text, HEADER + 1);
  return new Message(buffer);
}

/** Closes a prepared statement; the server doesn't answer. */
export function closePacket(id: number): OutgoingPacket {
  const buffer = Buffer.alloc(HEADER + 5);
  buffer[HEADER] = COM_STMT_CLOSE;
  buffer.writeUInt32LE(id, HEADER + 1);
  return new Message(buffer);
}

/** Says "no more" where the server asked for a file. */
export function emptyPacket(): OutgoingPacket {
  return new Message(Buffer.alloc(HEADER));
}

const COM_STMT_PREPARE = 0x16;
const COM_STMT_CLOSE = 0x19;
