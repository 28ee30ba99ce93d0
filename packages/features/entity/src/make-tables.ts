import { isDalError } from '@dal/core';
import {
  addColumn,
  createIndex,
  createTable,
  type FieldRow,
  indexRow,
  insertFieldRow,
} from './ddl.ts';
import { FIELDS_TABLE, historyTableOf } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import { insist } from './insist.ts';
import { readColumns } from './read-types.ts';
import type { CallLimits, Scene } from './scene.ts';
import { execute, type Work } from './work.ts';

/** Puts rows into the table of all types; those that are there stay as they are. */
export function* writeDown(
  scene: Scene,
  type: string,
  rows: readonly FieldRow[],
  limits: CallLimits,
): Work<void> {
  const text = insertFieldRow(scene.words);
  for (const { part, name, kind } of rows) {
    yield* insist(scene, text, limits, [type, part, name, kind]);
  }
}

/** Makes the table of a type, and the columns that it lacks. */
export function* completeTable(
  scene: Scene,
  type: EntityType,
  which: 'current' | 'history',
  limits: CallLimits,
): Work<void> {
  const { words } = scene;
  const table = which === 'current' ? type.name : historyTableOf(type.name);
  try {
    yield* insist(scene, createTable(words, type.name, which, type.fields), limits);
  } catch (error) {
    if (!isRefusal(error) || type.fields.size === 0) throw error;
    // One of the fields is at fault; column by column it shows which.
    yield* insist(scene, createTable(words, type.name, which, new Map()), limits);
  }
  const columns = yield* readColumns(scene, table, limits);
  for (const [field, kind] of type.fields) {
    if (columns.has(field)) continue;
    try {
      yield* insist(scene, addColumn(words, table, field, kind), limits, [], function* () {
        return (yield* readColumns(scene, table, limits)).has(field);
      });
    } catch (error) {
      if (isRefusal(error)) yield* strikeOut(scene, type.name, field, limits);
      throw error;
    }
  }
}

/** Makes an index, and writes it down. */
export function* makeIndex(
  scene: Scene,
  type: EntityType,
  fields: readonly string[],
  limits: CallLimits,
): Work<void> {
  // Its table and columns are there: what is wrong with the names can only be that it is there too.
  yield* insist(scene, createIndex(scene.words, type.name, fields, type.fields), limits, [], () =>
    alwaysDone(),
  );
  yield* writeDown(scene, type.name, [indexRow(type.name, fields)], limits);
}

/** The engine has no such column (`ctid` on PostgreSQL), so that nobody is to try it again. */
function* strikeOut(scene: Scene, type: string, field: string, limits: CallLimits): Work<void> {
  const { quote } = scene.words;
  const [name, part, item] = ['entity_type', 'part', 'name'].map(quote);
  const text = `DELETE FROM ${quote(FIELDS_TABLE)} WHERE ${name} = ? AND ${part} = ? AND ${item} = ?`;
  yield* execute({ text, values: [type, 'field', field] }, limits.statement);
  scene.types.forget(type);
}

function isRefusal(error: unknown): boolean {
  return isDalError(error) && (error.kind === 'schema' || error.kind === 'syntax');
}

// oxlint-disable-next-line require-yield -- one of several answers to the same question
function* alwaysDone(): Work<boolean> {
  return true;
}
