import { isDalError, type Row } from '@dal/core';
import { FIELDS_TABLE, shown } from './entity-names.ts';
import { VersionConflictError } from './entity-errors.ts';
import type { Operation } from './entity.ts';
import type { EntityType } from './entity-type.ts';
import type { Author } from './given-entity.ts';
import type { CallLimits, Scene } from './scene.ts';
import { StaleType } from './type-for.ts';
import { execute, rowsOf, transaction, type Work } from './work.ts';

export interface Change {
  readonly operation: Operation;
  readonly author: Author;
  /** As they are sent. */
  readonly fields: ReadonlyMap<string, unknown>;
  /** Undefined: it stays as it is. */
  readonly deletedAt?: Date | null;
  /** Only an entity that is deleted, or is not; undefined: either. */
  readonly whileDeleted?: boolean;
}

/**
 * Makes the next version of an entity, and keeps the one before in the history.
 *
 * The number is counted up under the lock of the row, together with the copy of the old row, so there
 * is no gap and no version twice.
 *
 * @returns the new row, or undefined when there was none that fits
 * @throws StaleType when the copy would have lacked a column; nothing was changed
 */
export function* changeRow(
  scene: Scene,
  type: EntityType,
  id: string,
  change: Change,
  limits: CallLimits,
): Work<Row | undefined> {
  const { changesInWith, returning } = scene.words.dialect;
  if (isHistoryOff(scene, type.name)) {
    if (returning) return yield* changeAlone(scene, type, id, change, limits);
    return yield* transaction(
      () => changeAlone(scene, type, id, change, limits),
      limits.transaction(scene),
    );
  }
  if (changesInWith) return yield* changeInOne(scene, type, id, change, limits);
  return yield* transaction(
    () => changeInSteps(scene, type, id, change, limits),
    limits.transaction(scene),
  );
}

/** What a change did not find as it wanted it. */
export interface Found {
  readonly version: number;
  readonly isDeleted: boolean;
}

/**
 * Why a change found nothing.
 *
 * @throws StaleType when it may have been because the type has grown
 * @throws VersionConflictError when another version was expected
 */
export function* whyNot(
  scene: Scene,
  type: EntityType,
  id: string,
  { author }: Change,
  limits: CallLimits,
): Work<Found | undefined> {
  const { quote } = scene.words;
  const lock = lockIn(scene);
  const text = type.text(
    `why${lock}`,
    () =>
      `SELECT ${quote('version')}, ${quote('deleted_at')}, ${countFields(quote)} AS fields FROM ${type.table} WHERE ${quote('id')} = ?${lock}`,
  );
  const [row] = yield* rowsOf({ text, values: [type.name, 'field', id] }, limits.question);
  if (row && Number(row['fields']) !== type.fields.size) throw new StaleType();
  const found = row && {
    version: Number(row['version']),
    isDeleted: row['deleted_at'] !== null,
  };
  const { expectedVersion } = author;
  if (expectedVersion !== undefined && expectedVersion !== (found?.version ?? 0)) {
    throw conflict(type.name, expectedVersion, found?.version ?? null);
  }
  return found;
}

/**
 * Makes a question in a transaction see what a change there sees: without it, MySQL answers as things
 * were when the transaction read first.
 */
export function lockIn(scene: Scene): string {
  return scene.inTransaction() ? scene.words.rowLock : '';
}

export function conflict(
  type: string,
  expectedVersion: number,
  actualVersion: number | null,
): Error {
  const actual =
    actualVersion === null ? 'there is no such entity' : `it is in version ${actualVersion}`;
  return new VersionConflictError(
    `The entity of ${shown(type)} was expected in version ${expectedVersion}, and ${actual}. Nothing was changed: read it again, and decide anew.`,
    { kind: 'serialization', code: 'DAL_ENTITY_VERSION', expectedVersion, actualVersion },
  );
}

export function isHistoryOff({ settings }: Scene, name: string): boolean {
  return (settings.types.get(name)?.history ?? settings.history) === 'off';
}

/** `(SELECT count(*) ...)`: how many fields the type has now; takes its name and `field`. */
export function countFields(quote: (name: string) => string): string {
  return `(SELECT count(*) FROM ${quote(FIELDS_TABLE)} WHERE ${quote('entity_type')} = ? AND ${quote('part')} = ?)`;
}

/** The new version as SQL and its values, without a condition. */
function assignments(
  { words }: Scene,
  type: EntityType,
  { fields, deletedAt, operation, author }: Change,
): { readonly key: string; readonly text: string; readonly values: readonly unknown[] } {
  const { quote } = words;
  const columns = ['updated_at', 'updated_by', 'version_operation', 'version_comment'];
  const values: unknown[] = [author.at, author.userId, operation, author.comment];
  if (deletedAt !== undefined) {
    columns.push('deleted_at');
    values.push(deletedAt);
  }
  for (const [field, value] of fields) {
    columns.push(field);
    values.push(value);
  }
  const key = columns.slice(4).join('\0');
  const text = type.text(`set\0${key}`, () => {
    const version = quote('version');
    return [
      `${version} = ${type.table}.${version} + 1`,
      ...columns.map((column) => `${quote(column)} = ?`),
    ].join(', ');
  });
  return { key, text, values };
}

/** `"id" = ? AND ...`, and its values. */
function condition(
  { words }: Scene,
  type: EntityType,
  id: string,
  { author, whileDeleted }: Change,
): { readonly key: string; readonly text: string; readonly values: readonly unknown[] } {
  const { quote } = words;
  const { expectedVersion } = author;
  const key = `${expectedVersion === undefined ? '' : 'version'} ${whileDeleted ?? ''}`;
  const text = type.text(`where\0${key}`, () => {
    const parts = [`${quote('id')} = ?`];
    if (expectedVersion !== undefined) parts.push(`${quote('version')} = ?`);
    if (whileDeleted !== undefined) {
      parts.push(`${quote('deleted_at')} IS ${whileDeleted ? 'NOT ' : ''}NULL`);
    }
    return parts.join(' AND ');
  });
  return { key, text, values: expectedVersion === undefined ? [id] : [id, expectedVersion] };
}

/** One statement, where the engine takes several changes in one. */
function* changeInOne(
  scene: Scene,
  type: EntityType,
  id: string,
  change: Change,
  limits: CallLimits,
): Work<Row | undefined> {
  const { quote, rowLock } = scene.words;
  const set = assignments(scene, type, change);
  const where = condition(scene, type, id, change);
  const text = type.text(`change\0${where.key}\0${set.key}`, () => {
    const { table, historyTable, columns } = type;
    const key = quote('id');
    const isKnown = `${countFields(quote)} = ?`;
    // The change is joined to what was locked, so that the lock comes first.
    return [
      `WITH old AS (SELECT * FROM ${table} WHERE ${where.text} AND ${isKnown}${rowLock}),`,
      `kept AS (INSERT INTO ${historyTable} (${columns}) SELECT ${columns} FROM old)`,
      `UPDATE ${table} SET ${set.text} FROM old WHERE ${table}.${key} = old.${key} RETURNING ${table}.*`,
    ].join(' ');
  });
  const values = [...where.values, type.name, 'field', type.fields.size, ...set.values];
  const [row] = yield* rowsOf({ text, values }, limits.statement);
  return row;
}

/** Inside a transaction. */
function* changeInSteps(
  scene: Scene,
  type: EntityType,
  id: string,
  change: Change,
  limits: CallLimits,
): Work<Row | undefined> {
  const { rowLock } = scene.words;
  const where = condition(scene, type, id, change);
  const { table, historyTable, columns } = type;
  const text = type.text(
    `keep\0${where.key}`,
    () =>
      `INSERT INTO ${historyTable} (${columns}) SELECT ${columns} FROM ${table} WHERE ${where.text}${rowLock}`,
  );
  try {
    const { affectedRows } = yield* execute({ text, values: where.values }, limits.statement);
    if (affectedRows === 0) return undefined;
  } catch (error) {
    // Without a lock two may keep the same version; one of them is too late.
    if (rowLock === '' && isDalError(error) && error.kind === 'unique') throw new StaleType();
    throw error;
  }
  const row = yield* changeAlone(scene, type, id, change, limits);
  if (row && !type.knows(row)) throw new StaleType();
  return row;
}

/** The change without the history; inside a transaction unless the engine has RETURNING. */
function* changeAlone(
  scene: Scene,
  type: EntityType,
  id: string,
  change: Change,
  limits: CallLimits,
): Work<Row | undefined> {
  const { quote, returning } = scene.words;
  const set = assignments(scene, type, change);
  const where = condition(scene, type, id, change);
  const text = type.text(
    `update\0${where.key}\0${set.key}`,
    () => `UPDATE ${type.table} SET ${set.text} WHERE ${where.text}${returning}`,
  );
  const { rows, affectedRows } = yield* execute(
    { text, values: [...set.values, ...where.values] },
    limits.statement,
  );
  if (returning !== '') return rows[0];
  if (affectedRows === 0) return undefined;
  const select = type.text('get', () => `SELECT * FROM ${type.table} WHERE ${quote('id')} = ?`);
  const [row] = yield* rowsOf({ text: select, values: [id] }, limits.statement);
  return row;
}
