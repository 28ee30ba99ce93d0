import type { Column } from '@dal/core';
import type { OutgoingPacket } from './message.ts';
import type { RowReaders } from './native-result.ts';

/** What a column is called and made of, as the server describes it. */
export interface Field {
  readonly name: string;
  readonly columnType: number;
  readonly columnLength: number;
  readonly decimals: number;
  /** MariaDB: `uuid`, `inet6` and the like. */
  readonly extendedTypeName?: string;
  /** MariaDB: `json` for what is LONGTEXT underneath. */
  readonly extendedFormat?: string;
  /** A DOUBLE that is read as a text, see `Line.ask`. */
  readonly isDoubleText?: boolean;
}

/** The server's answer to a statement without rows. */
export interface OkAnswer {
  readonly affectedRows: number;
  /** A text beyond 2^53. */
  readonly insertId: number | string;
  readonly serverStatus: number;
  readonly warningStatus: number;
}

/** A message of the server, as mysql2 hands it to its commands. */
export interface Packet {
  readonly buffer: Buffer;
  offset: number;
  readonly end: number;
  length(): number;
  asError(encoding: string): Error;
  readLengthCodedNumber(): number;
  readLengthCodedNumberSigned(): number | string;
}

/** Makes an object, or a list, of a message with a row; compiled by mysql2 for these columns. */
export interface RowParser {
  next(packet: Packet, fields: readonly Field[], options: object): unknown;
}

/** The part of a line that commands need. */
export interface Wire {
  readonly clientEncoding: string;
  _resetSequenceId(): void;
  writePacket(packet: OutgoingPacket): void;
  readField(packet: Packet): Field;
  rowParser(fields: readonly Field[], rowsAsArray: boolean): RowParser;
  noteStatus(status: number): void;
}

/** How the rows of a statement look; kept with the statement as long as its columns stay the same. */
export interface Shape {
  readonly fields: readonly Field[];
  readonly columns: readonly Column[];
  readonly parser: RowParser;
  readonly readers: RowReaders;
  /** What the server wrote about each column. */
  readonly written: readonly Buffer[];
}

/** A statement that the server holds prepared in a session. */
export interface Prepared {
  readonly id: number;
  /** How many values it takes. */
  readonly takes: number;
  /** As objects, and as lists. */
  readonly shapes: [Shape | undefined, Shape | undefined];
}

/** First bytes of the server's messages. */
export const OK = 0x00;
export const LOCAL_INFILE = 0xfb;
const EOF = 0xfe;
/** Longer messages with this mark are rows. */
const EOF_LENGTH = 13;
export const ERROR = 0xff;

export const MORE_RESULTS = 8;

/** The end of a list of columns or rows. */
export function isEof(packet: Packet): boolean {
  return packet.buffer[packet.offset] === EOF && packet.length() < EOF_LENGTH;
}

/** Reads the answer to a statement without rows. */
export function readOk(packet: Packet): OkAnswer {
  packet.offset++;
  const affectedRows = packet.readLengthCodedNumber();
  const insertId = packet.readLengthCodedNumberSigned();
  const { buffer, offset } = packet;
  return {
    affectedRows,
    insertId,
    serverStatus: buffer.readUInt16LE(offset),
    warningStatus: buffer.readUInt16LE(offset + 2),
  };
}

/** The server's error, with the statement's text. */
export function errorOf(packet: Packet, wire: Wire, sql: string): Error {
  return Object.assign(packet.asError(wire.clientEncoding), { sql });
}
