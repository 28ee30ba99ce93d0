import type { Row } from '@dal/core';
import { type Change, changeRow, conflict, whyNot } from './change-entity.ts';
import { EntityNotFoundError } from './entity-errors.ts';
import type { ChangeOptions, DeleteOptions } from './verb-options.ts';
import { checkId, checkTypeName, shown } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import {
  type Author,
  CHANGE_OPTIONS,
  checkFields,
  encodeFields,
  type GivenEntity,
  kindsOf,
  readAuthor,
  readEntity,
  readFields,
} from './given-entity.ts';
import { insertRow, newEntity } from './insert-entity.ts';
import { typeOfRows } from './read-types.ts';
import { readVersionRow } from './read-history.ts';
import { CallLimits, type Scene } from './scene.ts';
import { typeFor, typeToRead, withFreshType } from './type-for.ts';
import { execute, transaction, type Work } from './work.ts';

/** How often an entity may come and go while it is saved. */
const ROUNDS = 10;

export function* saveEntity(
  scene: Scene,
  name: string,
  entity: object,
  options?: ChangeOptions,
): Work<Row> {
  const limits = new CallLimits('save', options, CHANGE_OPTIONS);
  checkTypeName(name, scene.words);
  const author = readAuthor(options);
  const given = readEntity(name, entity);
  const kinds = kindsOf(name, given.fields);
  return yield* withFreshType(scene, name, kinds, limits, function* () {
    const type = yield* typeFor(scene, name, kinds, limits, (known) => {
      checkFields(name, known, kinds, given.fields);
    });
    return yield* saveGiven(scene, type, given, author, limits);
  });
}

export function* updateFields(
  scene: Scene,
  name: string,
  id: string,
  fields: object,
  options?: ChangeOptions,
): Work<Row> {
  const limits = new CallLimits('updateFields', options, CHANGE_OPTIONS);
  checkTypeName(name, scene.words);
  checkId(id, name);
  const author = readAuthor(options);
  const given = readFields(name, fields);
  const kinds = kindsOf(name, given);
  return yield* withFreshType(scene, name, kinds, limits, function* () {
    if (!(yield* typeToRead(scene, name, limits))) throw notFound(name);
    const type = yield* typeFor(scene, name, kinds, limits, (known) => {
      checkFields(name, known, kinds, given);
    });
    const change: Change = {
      operation: 'update',
      author,
      fields: encodeFields(type, given),
      whileDeleted: false,
    };
    const row = yield* changeRow(scene, type, id, change, limits);
    if (row) return yield* entityOf(scene, type, row, limits);
    yield* whyNot(scene, type, id, change, limits);
    throw notFound(name);
  });
}

export function* deleteEntity(
  scene: Scene,
  name: string,
  id: string,
  options: DeleteOptions = {},
): Work<boolean> {
  const limits = new CallLimits('delete', options, [...CHANGE_OPTIONS, 'permanent']);
  const author = readAuthor(options);
  return options.permanent === true
    ? yield* deleteForGood(scene, name, id, author, limits)
    : yield* setDeleted(scene, name, id, author, true, limits);
}

export function* restoreEntity(
  scene: Scene,
  name: string,
  id: string,
  options?: ChangeOptions,
): Work<boolean> {
  const limits = new CallLimits('restore', options, CHANGE_OPTIONS);
  return yield* setDeleted(scene, name, id, readAuthor(options), false, limits);
}

export function* rollbackTo(
  scene: Scene,
  name: string,
  id: string,
  version: number,
  options?: ChangeOptions,
): Work<Row> {
  const limits = new CallLimits('rollbackTo', options, CHANGE_OPTIONS);
  checkTypeName(name, scene.words);
  checkId(id, name);
  const author = readAuthor(options);
  return yield* withFreshType(scene, name, new Map(), limits, function* () {
    const old = yield* readVersionRow(scene, name, id, version, limits);
    if (!old) throw notFound(name, version);
    const { type, row } = old;
    const then = type.entity(row);
    const fields = encodeFields(
      type,
      new Map([...type.fields.keys()].map((field) => [field, then[field]])),
    );
    const change: Change = {
      operation: 'rollback',
      author,
      fields,
      deletedAt: then['deleted_at'] as Date | null,
    };
    const now = yield* changeRow(scene, type, id, change, limits);
    if (now) return yield* entityOf(scene, type, now, limits);
    yield* whyNot(scene, type, id, change, limits);
    throw notFound(name);
  });
}

/** Makes it or changes it, whichever the database turns out to want. */
function* saveGiven(
  scene: Scene,
  type: EntityType,
  given: GivenEntity,
  author: Author,
  limits: CallLimits,
): Work<Row> {
  const { id, isNew, wasRead } = given;
  const { expectedVersion } = author;
  const fields = encodeFields(type, given.fields);
  const change: Change = { operation: 'update', author, fields };
  let tryInsert = isNew || (!wasRead && !expectedVersion) || expectedVersion === 0;
  for (let round = 1; ; round++) {
    if (tryInsert && (yield* insertRow(scene, type, given, author, fields, limits))) {
      return newEntity(type, id, author, fields);
    }
    if (expectedVersion === 0) {
      const found = yield* whyNot(scene, type, id, change, limits);
      throw conflict(type.name, 0, found?.version ?? null);
    }
    const row = yield* changeRow(scene, type, id, change, limits);
    if (row) return yield* entityOf(scene, type, row, limits);
    yield* whyNot(scene, type, id, change, limits);
    // Only the last of many rounds shows what is really wrong.
    if (round === ROUNDS) throw unstable(type.name);
    tryInsert = true;
  }
}

function* setDeleted(
  scene: Scene,
  name: string,
  id: string,
  author: Author,
  isDeleted: boolean,
  limits: CallLimits,
): Work<boolean> {
  checkTypeName(name, scene.words);
  checkId(id, name);
  return yield* withFreshType(scene, name, new Map(), limits, function* () {
    const type = yield* typeToRead(scene, name, limits);
    if (!type) return false;
    const change: Change = {
      operation: isDeleted ? 'delete' : 'restore',
      author,
      fields: new Map(),
      deletedAt: isDeleted ? author.at : null,
      whileDeleted: !isDeleted,
    };
    if (yield* changeRow(scene, type, id, change, limits)) return true;
    yield* whyNot(scene, type, id, change, limits);
    return false;
  });
}

/** The row first: whoever saves it at the same time waits, and begins with version 1 behind it. */
function* deleteForGood(
  scene: Scene,
  name: string,
  id: string,
  author: Author,
  limits: CallLimits,
): Work<boolean> {
  const { words } = scene;
  checkTypeName(name, words);
  checkId(id, name);
  const { expectedVersion } = author;
  return yield* withFreshType(scene, name, new Map(), limits, function* () {
    const type = yield* typeToRead(scene, name, limits);
    if (!type) return false;
    const key = words.quote('id');
    const version = expectedVersion === undefined ? '' : ` AND ${words.quote('version')} = ?`;
    const values = expectedVersion === undefined ? [id] : [id, expectedVersion];
    const isGone = yield* transaction(function* () {
      const text = `DELETE FROM ${type.table} WHERE ${key} = ?${version}`;
      const { affectedRows } = yield* execute({ text, values }, limits.statement);
      if (affectedRows === 0) return false;
      const history = `DELETE FROM ${type.historyTable} WHERE ${key} = ?`;
      yield* execute({ text: history, values: [id] }, limits.statement);
      return true;
    }, limits.transaction(scene));
    if (!isGone && expectedVersion !== undefined) {
      yield* whyNot(scene, type, id, { operation: 'delete', author, fields: new Map() }, limits);
    }
    return isGone;
  });
}

function* entityOf(scene: Scene, type: EntityType, row: Row, limits: CallLimits): Work<Row> {
  return (yield* typeOfRows(scene, type, [row], limits)).entity(row);
}

function notFound(type: string, version?: number): EntityNotFoundError {
  const what = version === undefined ? 'entity' : `version ${version} of an entity`;
  return new EntityNotFoundError(
    `There is no such ${what} of ${shown(type)}${version === undefined ? ', or it is deleted' : ''}. Nothing was changed.`,
    { kind: 'data', code: 'DAL_ENTITY_NOT_FOUND' },
  );
}

function unstable(type: string): EntityNotFoundError {
  return new EntityNotFoundError(
    `The entity of ${shown(type)} could neither be made nor changed in ${ROUNDS} attempts: its id is there and not there by turns, or another unique index refuses it.`,
    { kind: 'unique', code: 'DAL_ENTITY_UNSTABLE' },
  );
}
