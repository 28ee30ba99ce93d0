import { isDalError, type Row } from '@dal/core';
import type { EntityType } from './entity-type.ts';
import { put } from './entity-type.ts';
import { decodeSent } from './field-values.ts';
import type { Author } from './given-entity.ts';
import type { CallLimits, Scene } from './scene.ts';
import { execute, transaction, type Work } from './work.ts';

/** The system columns of a new entity, in the order of `newValues`. */
export const NEW_COLUMNS: readonly string[] = [
  'id',
  'version',
  'created_at',
  'updated_at',
  'created_by',
  'updated_by',
  'version_operation',
  'version_comment',
];

export function newValues(id: string, { at, userId, comment }: Author): unknown[] {
  return [id, 1, at, at, userId, userId, 'create', comment];
}

/**
 * Makes a new entity.
 *
 * @param isNew nobody can have its id
 * @returns false when there is one of that id
 */
export function* insertRow(
  scene: Scene,
  type: EntityType,
  given: { readonly id: string; readonly isNew: boolean },
  author: Author,
  fields: ReadonlyMap<string, unknown>,
  limits: CallLimits,
): Work<boolean> {
  const { quote, upsert } = scene.words;
  const skip = given.isNew ? undefined : upsert?.skip;
  const names = [...fields.keys()];
  const text = type.text(`insert\0${skip ? 'skip' : ''}\0${names.join('\0')}`, () => {
    const columns = [...NEW_COLUMNS, ...names];
    const marks = Array<string>(columns.length).fill('?').join(', ');
    const behind = skip?.([quote('id')]) ?? '';
    return `INSERT INTO ${type.table} (${columns.map(quote).join(', ')}) VALUES (${marks})${behind}`;
  });
  const values = [...newValues(given.id, author), ...fields.values()];
  const run = (): Work<{ readonly affectedRows: number }> =>
    execute({ text, values }, limits.statement);
  if (given.isNew || skip) return (yield* run()).affectedRows > 0;
  try {
    // Some engines give up a transaction for a row that is there.
    yield* scene.inTransaction() ? transaction(run) : run();
    return true;
  } catch (error) {
    if (isDalError(error) && error.kind === 'unique') return false;
    throw error;
  }
}

/** The new entity as it would be read. */
export function newEntity(
  type: EntityType,
  id: string,
  { at, userId }: Author,
  fields: ReadonlyMap<string, unknown>,
): Row {
  const entity: Row = {
    id,
    version: 1,
    created_at: new Date(at),
    updated_at: new Date(at),
    deleted_at: null,
    created_by: userId,
    updated_by: userId,
  };
  for (const [field, kind] of type.fields) {
    const sent = fields.get(field) ?? null;
    put(entity, field, sent === null ? null : decodeSent(kind, sent));
  }
  return entity;
}
