import { ConfigError } from '@dal/core';
import { HEADER, Message, type OutgoingPacket } from './message.ts';

/** The message that runs a prepared statement, but for the statement's number. */
export interface ExecutePacket extends OutgoingPacket {
  readonly values: number;
  setStatement(id: number): void;
}

/**
 * Values in the binary protocol, each with a type that the server takes everywhere: integers as
 * integers (LIMIT refuses a DOUBLE, and a text would show 1e15), dates in UTC, bytes as bytes.
 *
 * @throws ConfigError for what the engine can't hold
 */
export function executePacket(values: readonly unknown[]): ExecutePacket {
  const count = values.length;
  const nulls = FIXED + HEADER;
  // Without values there is neither a map of NULLs nor the word that types follow.
  const types = count === 0 ? nulls : nulls + ((count + 7) >> 3) + 1;
  const first = types + count * 2;
  const buffer = Buffer.allocUnsafe(first + roomFor(values));
  buffer.fill(0, HEADER, types);
  buffer[HEADER] = COM_STMT_EXECUTE;
  // How often to run it; always once.
  buffer[HEADER + 6] = 1;
  // The types follow.
  if (count > 0) buffer[types - 1] = 1;
  let at = first;
  for (let index = 0; index < count; index++) {
    const value = values[index];
    const type = types + index * 2;
    buffer[type + 1] = 0;
    switch (typeof value) {
      case 'string':
        buffer[type] = VAR_STRING;
        at = writeText(buffer, at, value);
        continue;
      case 'number':
        // Only integers that are exact travel as such; -0 is a double.
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
          buffer[type] = LONGLONG;
          at = buffer.writeInt32LE(value | 0, at);
          at = buffer.writeInt32LE(Math.floor(value / 4_294_967_296), at);
        } else {
          buffer[type] = DOUBLE;
          at = buffer.writeDoubleLE(value, at);
        }
        continue;
      case 'boolean':
        buffer[type] = TINY;
        buffer[at++] = value ? 1 : 0;
        continue;
      case 'bigint':
        at = writeBigint(buffer, type, at, value);
        continue;
      default:
    }
    if (value === null) {
      buffer[type] = NULL;
      buffer[nulls + (index >> 3)]! |= 1 << (index & 7);
    } else if (value instanceof Date) {
      buffer[type] = DATETIME;
      at = writeDate(buffer, at, value);
    } else if (value instanceof JsonText) {
      buffer[type] = JSON_TYPE;
      at = writeText(buffer, at, value.text);
    } else {
      buffer[type] = BLOB;
      at = writeBytes(buffer, at, value as Uint8Array);
    }
  }
  return new Execute(buffer.subarray(0, at), count);
}

/** A value that travels as JSON, which MySQL compares with JSON columns and MariaDB refuses. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Command, number of the statement, flags, how often. */
const FIXED = 10;
const COM_STMT_EXECUTE = 0x17;

// Types of the protocol.
const TINY = 1;
const DOUBLE = 5;
const NULL = 6;
const LONGLONG = 8;
const DATETIME = 12;
const JSON_TYPE = 245;
const NEWDECIMAL = 246;
const BLOB = 252;
const VAR_STRING = 253;
const UNSIGNED = 0x80;

/** The longest number in front of a text or bytes. */
const LENGTH = 9;
/** Texts up to this length have a length of one byte, whatever their characters. */
const SHORT_TEXT = 83;

class Execute extends Message implements ExecutePacket {
  readonly values: number;

  constructor(buffer: Buffer, values: number) {
    super(buffer);
    this.values = values;
  }

  setStatement(id: number): void {
    this.buffer.writeUInt32LE(id, HEADER + 1);
  }
}

/** Bytes that the values take at most. @throws ConfigError for what the engine can't hold */
function roomFor(values: readonly unknown[]): number {
  let room = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    switch (typeof value) {
      case 'string':
        room +=
          value.length <= SHORT_TEXT ? 1 + value.length * 3 : LENGTH + Buffer.byteLength(value);
        continue;
      case 'number':
        if (!Number.isFinite(value)) {
          throw unfit(index, 'is NaN or Infinity, which MySQL and MariaDB do not have');
        }
        room += 8;
        continue;
      case 'boolean':
        room += 1;
        continue;
      case 'bigint':
        room += isWide(value) ? LENGTH + value.toString().length : 8;
        continue;
      default:
        room += roomForObject(value, index);
    }
  }
  return room;
}

function roomForObject(value: unknown, index: number): number {
  if (value === null) return 0;
  if (value instanceof Date) {
    const year = value.getUTCFullYear();
    if (year >= 0 && year <= 9999) return 12;
    throw unfit(
      index,
      'is a Date outside the years 0 to 9999, which MySQL and MariaDB do not have',
    );
  }
  if (value instanceof Uint8Array) return LENGTH + value.byteLength;
  if (value instanceof JsonText) return LENGTH + Buffer.byteLength(value.text);
  throw unfit(
    index,
    typeof value === 'object'
      ? 'is an object; wrap it in json(...)'
      : `is ${value === undefined ? 'undefined; write null for NULL' : `a ${typeof value}`}`,
  );
}

function unfit(index: number, why: string): ConfigError {
  return new ConfigError(`Value ${index + 1} of the statement ${why}. Nothing was sent.`, {
    code: 'DAL_VALUE',
    kind: 'data',
  });
}

function writeText(buffer: Buffer, at: number, value: string): number {
  if (value.length <= SHORT_TEXT) {
    const size = buffer.write(value, at + 1);
    buffer[at] = size;
    return at + 1 + size;
  }
  const start = writeLength(buffer, at, Buffer.byteLength(value));
  return start + buffer.write(value, start);
}

function writeBytes(buffer: Buffer, at: number, value: Uint8Array): number {
  const start = writeLength(buffer, at, value.byteLength);
  buffer.set(value, start);
  return start + value.byteLength;
}

function writeLength(buffer: Buffer, at: number, length: number): number {
  if (length < 251) return buffer.writeUInt8(length, at);
  if (length < 65_536) {
    buffer[at] = 0xfc;
    return buffer.writeUInt16LE(length, at + 1);
  }
  if (length < 16_777_216) {
    buffer[at] = 0xfd;
    return buffer.writeUIntLE(length, at + 1, 3);
  }
  buffer[at] = 0xfe;
  return buffer.writeBigUInt64LE(BigInt(length), at + 1);
}

/** Beyond 64 bits, with or without a sign. */
function isWide(value: bigint): boolean {
  return BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value;
}

function writeBigint(buffer: Buffer, type: number, at: number, value: bigint): number {
  if (isWide(value)) {
    buffer[type] = NEWDECIMAL;
    return writeText(buffer, at, value.toString());
  }
  buffer[type] = LONGLONG;
  if (BigInt.asIntN(64, value) === value) return buffer.writeBigInt64LE(value, at);
  buffer[type + 1] = UNSIGNED;
  return buffer.writeBigUInt64LE(value, at);
}

function writeDate(buffer: Buffer, at: number, value: Date): number {
  buffer[at] = 11;
  buffer.writeUInt16LE(value.getUTCFullYear(), at + 1);
  buffer[at + 3] = value.getUTCMonth() + 1;
  buffer[at + 4] = value.getUTCDate();
  buffer[at + 5] = value.getUTCHours();
  buffer[at + 6] = value.getUTCMinutes();
  buffer[at + 7] = value.getUTCSeconds();
  return buffer.writeUInt32LE(value.getUTCMilliseconds() * 1_000, at + 8);
}
