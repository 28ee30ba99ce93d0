import { wrongOption } from '@dal/core';
import { uuidv7 } from 'uuidv7';
import type { ChangeOptions } from './verb-options.ts';
import { EntityTypeError } from './entity-errors.ts';
import { checkId, checkKeyText, flawOf, shown, unknownField, wordFor } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import { encode, kindOf } from './field-values.ts';
import type { FieldKind } from './field-kind.ts';
import { isSystemColumn } from './system-columns.ts';

/** What a caller wants to have saved, without what the manager keeps itself. */
export interface GivenEntity {
  readonly id: string;
  /** The id was made up here, so nobody else can have it. */
  readonly isNew: boolean;
  /** It came from the database before, so it is likely there. */
  readonly wasRead: boolean;
  readonly fields: ReadonlyMap<string, unknown>;
}

/** @throws EntityTypeError when it is no object, or a system field is not what the manager gave */
export function readEntity(type: string, entity: unknown): GivenEntity {
  const fields = readFields(type, entity);
  const { id } = entity as { readonly id?: unknown };
  if (id !== undefined && id !== null) checkId(id, type);
  const isNew = id === undefined || id === null;
  return {
    id: isNew ? uuidv7() : id,
    isNew,
    wasRead: Object.hasOwn(entity as object, 'version'),
    fields,
  };
}

/** The fields that are given: own, enumerable, and not undefined. */
export function readFields(type: string, entity: unknown): Map<string, unknown> {
  if (typeof entity !== 'object' || entity === null || Array.isArray(entity)) {
    throw refused(`An entity of ${shown(type)} must be an object, not ${wordFor(entity)}`);
  }
  const fields = new Map<string, unknown>();
  for (const field of Object.keys(entity)) {
    const value = (entity as Readonly<Record<string, unknown>>)[field];
    if (value === undefined) continue;
    if (isSystemColumn(field)) checkSystemValue(type, field, value);
    else fields.set(field, value);
  }
  return fields;
}

/**
 * The kinds of values that are not null; those say nothing of their field.
 *
 * @param kinds those of entities before this one; the first value of a field decides
 */
export function kindsOf(
  type: string,
  fields: ReadonlyMap<string, unknown>,
  kinds: Map<string, FieldKind> = new Map<string, FieldKind>(),
): Map<string, FieldKind> {
  for (const [field, value] of fields) {
    if (value === null) continue;
    const kind = kindOf(value, { type, field });
    if (!kinds.has(field)) kinds.set(field, kind);
  }
  return kinds;
}

/** @throws EntityTypeError for a value that fits neither what is there nor what would be made for it */
export function checkFields(
  type: string,
  known: ReadonlyMap<string, FieldKind>,
  kinds: ReadonlyMap<string, FieldKind>,
  fields: ReadonlyMap<string, unknown>,
): void {
  for (const [field, value] of fields) {
    const kind = known.get(field) ?? kinds.get(field);
    if (kind !== undefined && value !== null) encode(kind, value, { type, field });
  }
}

/** The values as they are sent. Null for a field that nobody has given a value yet is left out. */
export function encodeFields(
  type: EntityType,
  fields: ReadonlyMap<string, unknown>,
): Map<string, unknown> {
  const sent = new Map<string, unknown>();
  for (const [field, value] of fields) {
    const kind = type.fields.get(field);
    if (kind === undefined) {
      if (value === null) continue;
      throw unknownField(field, type.name, type.fields.keys());
    }
    sent.set(field, value === null ? null : encode(kind, value, { type: type.name, field }));
  }
  return sent;
}

/** Who changes what, and why. */
export interface Author {
  readonly userId: string | null;
  readonly comment: string | null;
  readonly expectedVersion: number | undefined;
  readonly at: Date;
}

export const CHANGE_OPTIONS: readonly string[] = ['userId', 'comment', 'expectedVersion'];

/** @throws EntityTypeError, ConfigError */
export function readAuthor(options: ChangeOptions = {}): Author {
  const { userId = null, comment = null, expectedVersion } = options;
  if (userId !== null) checkKeyText(userId, 'userId');
  if (comment !== null) {
    if (typeof comment !== 'string') throw wrongOption('comment', 'a text', comment);
    const flaw = flawOf(comment);
    if (flaw) throw refused(`The comment holds ${flaw}`);
  }
  if (expectedVersion !== undefined) {
    if (!Number.isSafeInteger(expectedVersion) || expectedVersion < 0) {
      throw wrongOption('expectedVersion', 'a whole number from 0', expectedVersion);
    }
  }
  return { userId, comment, expectedVersion, at: new Date() };
}

/** Whoever has a field of that name for other things is told, instead of losing its values. */
function checkSystemValue(type: string, field: string, value: unknown): void {
  if (field === 'id') return;
  const fits =
    field === 'version'
      ? typeof value === 'number' || typeof value === 'bigint'
      : value === null ||
        typeof value === 'string' ||
        (field.endsWith('_at') && value instanceof Date);
  if (fits) return;
  throw refused(
    `The field ${shown(field)} of ${shown(type)} is kept by the manager, and ${wordFor(value)} is nothing that it gave. Use another name`,
  );
}

function refused(message: string): EntityTypeError {
  return new EntityTypeError(`${message}. Nothing was sent.`, {
    kind: 'usage',
    code: 'DAL_ENTITY_TYPE',
  });
}
