import { isDalError, isJson, json, timestampFromText } from '@dal/core';
import { EntityTypeError } from './entity-errors.ts';
import { flawOf, shown, wordFor } from './entity-names.ts';
import type { FieldKind } from './field-kind.ts';

/** Names the value for messages. */
export interface ValuePlace {
  readonly type: string;
  readonly field: string;
}

/**
 * The kind that a first value gives its field.
 *
 * @throws EntityTypeError when nothing can hold it
 */
export function kindOf(value: unknown, place: ValuePlace): FieldKind {
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
      return 'number';
    case 'bigint':
      return 'bigint';
    case 'boolean':
      return 'boolean';
    case 'object':
      if (value instanceof Date) return 'timestamp';
      if (value instanceof Uint8Array) return 'bytes';
      if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) {
        throw refused(place, `is a ${value.constructor.name}; make it a list or an object`);
      }
      return 'json';
    default:
      throw refused(place, `is a ${typeof value}`);
  }
}

/**
 * The value as it is sent, which is never null here.
 *
 * @throws EntityTypeError when it does not fit
 */
export function encode(kind: FieldKind, value: unknown, place: ValuePlace): unknown {
  switch (kind) {
    case 'text':
      if (typeof value !== 'string') break;
      return checkedText(value, place);
    case 'number':
      if (typeof value === 'number') {
        if (!Number.isFinite(value)) throw refused(place, `is ${value}, which no column can hold`);
        return value + 0;
      }
      if (typeof value !== 'bigint') break;
      if (Number.isSafeInteger(Number(value))) return Number(value);
      throw refused(place, 'is a bigint beyond 2^53, and the field has numbers');
    case 'bigint':
      return encodeBigint(value, place);
    case 'boolean':
      if (typeof value !== 'boolean') break;
      return value;
    case 'timestamp':
      if (!(value instanceof Date)) break;
      return checkedDate(value, place);
    case 'bytes':
      if (!(value instanceof Uint8Array)) break;
      return value;
    case 'json':
      if (typeof value !== 'object' || kindOf(value, place) !== 'json') break;
      return jsonText(value, place);
  }
  throw refused(
    place,
    `is ${wordFor(value)}, and the field has ${words[kind]}. Convert it, or use a field of another name`,
  );
}

/** What `decode` will make of an encoded value when it comes back. */
export function decodeSent(kind: FieldKind, sent: unknown): unknown {
  switch (kind) {
    case 'json':
      return JSON.parse(sent as string);
    case 'timestamp':
      return new Date(sent as Date);
    case 'bytes':
      return Buffer.from(sent as Uint8Array);
    default:
      return sent;
  }
}

/** The value as it was saved, from what a driver reads; whatever its options make of values. */
export function decode(kind: FieldKind, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (kind) {
    case 'text':
      return value;
    case 'number':
      return typeof value === 'number' ? value : Number(value);
    case 'bigint':
      return typeof value === 'bigint' ? value : BigInt(value as string);
    case 'boolean':
      return typeof value === 'boolean' ? value : Number(value) === 1;
    case 'timestamp':
      return typeof value === 'string' ? timestampFromText(value) : value;
    case 'bytes':
      return Buffer.isBuffer(value) ? value : Buffer.from(value as Uint8Array);
    case 'json':
      // Lists and objects alone are stored, so a text is one that was not parsed.
      return typeof value === 'string' ? JSON.parse(value) : value;
  }
}

const words: Readonly<Record<FieldKind, string>> = {
  text: 'text',
  number: 'numbers',
  bigint: 'bigints',
  boolean: 'true and false',
  timestamp: 'dates',
  json: 'lists and objects',
  bytes: 'bytes',
};

function checkedText(text: string, place: ValuePlace): string {
  const flaw = flawOf(text);
  if (flaw) throw refused(place, `holds ${flaw}`);
  return text;
}

function encodeBigint(value: unknown, place: ValuePlace): bigint {
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) === value) return value;
    throw refused(place, 'is a bigint of more than 64 bits; save it as text');
  }
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return BigInt(value);
    throw refused(place, 'is a number that is not whole, and the field has bigints');
  }
  throw refused(place, `is ${wordFor(value)}, and the field has bigints`);
}

function checkedDate(date: Date, place: ValuePlace): Date {
  const year = date.getUTCFullYear();
  if (Number.isNaN(year)) throw refused(place, 'is an invalid Date');
  if (year >= 1 && year <= 9_999) return date;
  throw refused(place, 'is a Date outside of the years 1 to 9999');
}

/** NUL and half characters are escaped in JSON, and refused by PostgreSQL or lost. */
const badEscape = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

function jsonText(value: unknown, place: ValuePlace): string {
  let text: string;
  try {
    text = isJson(value) ? value.text : json(value).text;
  } catch (error) {
    const why = isDalError(error) ? error.message.replace(/^The value given to json\(\) /, '') : '';
    throw refused(place, why.replace(/\.$/, '') || 'is no JSON', error);
  }
  if (!/^[[{]/.test(text)) throw refused(place, 'is no list and no object as JSON');
  if (text.includes('\\u') && badEscape.test(text)) {
    throw refused(place, 'holds a NUL character, or half a character (a lone surrogate)');
  }
  // A bigint in it would come back as another number.
  if (/\d{16}/.test(text) && losesDigits(text)) {
    throw refused(place, 'holds a bigint beyond 2^53, which JSON readers round; save it as text');
  }
  return text;
}

function losesDigits(text: string): boolean {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  const whole = bare.match(/(?<![\d.])-?\d{16,}(?![\d.eE])/g) ?? [];
  return whole.some((digits) => String(Number(digits)) !== digits);
}

function refused({ type, field }: ValuePlace, why: string, cause?: unknown): EntityTypeError {
  return new EntityTypeError(
    `The field ${shown(field)} of ${shown(type)} ${why}. Nothing was sent.`,
    {
      kind: 'usage',
      code: 'DAL_ENTITY_TYPE',
      ...(cause !== undefined && { cause }),
    },
  );
}
