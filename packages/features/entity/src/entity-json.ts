import { json, type Row } from '@dal/core';
import type { CallOptions } from './verb-options.ts';
import { EntityTypeError } from './entity-errors.ts';
import { checkTypeName, shown, wordFor } from './entity-names.ts';
import { put } from './entity-type.ts';
import { encode } from './field-values.ts';
import type { FieldKind } from './field-kind.ts';
import { CallLimits, type Scene } from './scene.ts';
import { typeToRead } from './type-for.ts';
import type { Work } from './work.ts';

export function entityToJson(entity: object): string {
  if (typeof entity !== 'object' || entity === null || Array.isArray(entity)) {
    throw refused(`toJson takes an entity, not ${wordFor(entity)}`);
  }
  const plain: Row = {};
  for (const [field, value] of Object.entries(entity)) put(plain, field, toPlain(value));
  return json(plain).text;
}

export function* entityFromJson(
  scene: Scene,
  name: string,
  text: string,
  options?: CallOptions,
): Work<Row> {
  const limits = new CallLimits('fromJson', options);
  checkTypeName(name, scene.words);
  const given = parse(name, text);
  const type = yield* typeToRead(scene, name, limits);
  const entity: Row = {};
  for (const [field, value] of Object.entries(given)) {
    const kind = type?.kindOf(field);
    put(entity, field, kind && value !== null ? fromPlain(kind, value, name, field) : value);
  }
  return entity;
}

function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value;
}

function fromPlain(kind: FieldKind, value: unknown, type: string, field: string): unknown {
  const place = { type, field };
  if (kind === 'bigint' && typeof value === 'string' && /^-?\d+$/.test(value)) {
    return encode(kind, BigInt(value), place);
  }
  if (kind === 'timestamp' && typeof value === 'string') {
    return encode(kind, new Date(value), place);
  }
  if (kind === 'bytes' && typeof value === 'string') return Buffer.from(value, 'base64');
  const sent = encode(kind, value, place);
  return kind === 'json' ? value : sent;
}

function parse(type: string, text: unknown): object {
  let value: unknown;
  try {
    value = JSON.parse(String(text));
  } catch (error) {
    throw refused(`The text for an entity of ${shown(type)} is no JSON`, error);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw refused(
    `The JSON for an entity of ${shown(type)} must be an object, not ${wordFor(value)}`,
  );
}

function refused(message: string, cause?: unknown): EntityTypeError {
  return new EntityTypeError(`${message}. Nothing was sent.`, {
    kind: 'usage',
    code: 'DAL_ENTITY_TYPE',
    ...(cause !== undefined && { cause }),
  });
}
