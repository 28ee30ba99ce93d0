import { isDalError, type StatementOptions } from '@dal/core';
import {
  addColumn,
  createFieldsTable,
  createIndex,
  createTable,
  type FieldRow,
  indexName,
  insertFieldRow,
  shownFieldRow,
} from './ddl.ts';
import { EntityFieldError, EntitySchemaError } from './entity-errors.ts';
import { checkFieldName, FIELDS_TABLE, historyTableOf, shown } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import type { FieldKind } from './field-kind.ts';
import { readColumns, readType, readTypeNames } from './read-types.ts';
import type { CallLimits, Scene } from './scene.ts';
import { isSystemColumn, SYSTEM_COLUMNS } from './system-columns.ts';
import { execute, transaction, type Work } from './work.ts';

export type Fields = ReadonlyMap<string, FieldKind>;

export type CheckValues = (known: Fields) => void;

const NO_FIELDS: Fields = new Map();

/**
 * The type with all these fields and its declared indexes; what is missing is made. Who is first to
 * write down a field decides its kind, and everybody makes the column that was written down: so many
 * processes may do it at once, and one that died in between leaves nothing that the next can't mend.
 *
 * @param check refuses values, by what is there, before anything is made for them
 * @throws EntitySchemaError when it may not be made here
 */
export function* growType(
  scene: Scene,
  name: string,
  wanted: Fields,
  limits: CallLimits,
  check?: CheckValues,
): Work<EntityType> {
  const known = yield* readType(scene, name, limits);
  checkNames(scene, name, wanted, known);
  check?.(known?.fields ?? NO_FIELDS);
  const indexes = missingIndexes(scene, name, wanted, known);
  if (known && indexes.length === 0 && (yield* isWhole(scene, known, wanted, limits))) return known;
  mayGrow(scene, name, wanted, known, indexes);
  if (scene.inTransaction()) scene.types.keepApart();

  if (!known) {
    yield* refuseLookalikes(scene, name, limits);
    yield* refuseStrangers(scene, name, limits);
  }
  yield* insist(scene, createFieldsTable(scene.words), limits);
  scene.types.foundFieldsTable();
  yield* writeDown(scene, name, rowsFor(wanted, known), limits);
  const type = yield* readType(scene, name, limits);
  if (!type)
    throw new EntitySchemaError(`The type ${shown(name)} was removed while it was made.`, {
      kind: 'schema',
      code: 'DAL_ENTITY_TABLE_TAKEN',
      ddl: [],
    });
  yield* completeTable(scene, type, 'history', limits);
  yield* completeTable(scene, type, 'current', limits);
  if (indexes.length === 0) return type;
  for (const fields of indexes) yield* makeIndex(scene, type, fields, limits);
  return (yield* readType(scene, name, limits)) ?? type;
}

/** Declared lists of fields that have no index yet, as far as their fields are or will be there. */
export function missingIndexes(
  { settings }: Scene,
  name: string,
  wanted: Fields,
  known: EntityType | undefined,
): string[][] {
  const declared = settings.types.get(name)?.indexes;
  if (!declared) return [];
  const there = new Set(known?.indexes.map((fields) => JSON.stringify(fields)));
  return declared
    .map((one) => (typeof one === 'string' ? [one] : [...one]))
    .filter((fields) => !there.has(JSON.stringify(fields)))
    .filter((fields) =>
      fields.every(
        (field) => wanted.has(field) || known?.fields.has(field) || isSystemColumn(field),
      ),
    );
}

function* isWhole(
  scene: Scene,
  known: EntityType,
  wanted: Fields,
  limits: CallLimits,
): Work<boolean> {
  for (const field of wanted.keys()) if (!known.fields.has(field)) return false;
  for (const table of [known.name, historyTableOf(known.name)]) {
    const columns = yield* readColumns(scene, table, limits);
    if (columns.size === 0) return false;
    for (const field of known.fields.keys()) if (!columns.has(field)) return false;
  }
  return true;
}

/** Engines that don't tell capitals or accents in names apart would have one column for two fields. */
function checkNames(
  { words }: Scene,
  name: string,
  wanted: Fields,
  known: EntityType | undefined,
): void {
  const folded = new Map<string, string>();
  for (const field of [...SYSTEM_COLUMNS, ...(known?.fields.keys() ?? [])]) {
    folded.set(fold(field), field);
  }
  for (const field of wanted.keys()) {
    checkFieldName(field, name, words);
    const other = folded.get(fold(field));
    if (other !== undefined && other !== field) {
      throw new EntityFieldError(
        `The field ${shown(field)} of ${shown(name)} differs from ${shown(other)} in capitals or accents only, which not every engine tells apart. Nothing was sent.`,
        { kind: 'usage', code: 'DAL_ENTITY_FIELD' },
      );
    }
    folded.set(fold(field), field);
  }
}

function fold(field: string): string {
  return field.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
}

function rowsFor(wanted: Fields, known: EntityType | undefined): FieldRow[] {
  // In one order everywhere, so that two who write down the same ones don't lock each other.
  const fields = [...wanted]
    .filter(([field]) => !known?.fields.has(field))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...(known ? [] : [{ part: 'type' as const, name: '', kind: 'entity' }]),
    ...fields.map(([field, kind]) => ({ part: 'field' as const, name: field, kind })),
  ];
}

/** @throws EntitySchemaError with the statements that would be needed */
function mayGrow(
  scene: Scene,
  name: string,
  wanted: Fields,
  known: EntityType | undefined,
  indexes: readonly (readonly string[])[],
): void {
  const { settings, words } = scene;
  const isNever = settings.ddl === 'never';
  if (!isNever && !(words.dialect.ddlCommits && scene.inTransaction())) return;
  const ddl = statementsFor(scene, name, wanted, known, indexes);
  const list = `\n${ddl.map((statement) => `${statement};`).join('\n')}`;
  throw isNever
    ? new EntitySchemaError(
        `Tables or columns for ${shown(name)} are missing, and ddl is "never". They are made by:${list}`,
        { kind: 'schema', code: 'DAL_ENTITY_DDL_NEVER', ddl },
      )
    : new EntitySchemaError(
        `Tables or columns for ${shown(name)} are missing, and ${words.dialect.name} would commit the open transaction to make them. Call em.prepare(${shown(name)}, sample) before the transaction, or run:${list}`,
        { kind: 'usage', code: 'DAL_ENTITY_DDL_IN_TRANSACTION', ddl },
      );
}

function statementsFor(
  { words }: Scene,
  name: string,
  wanted: Fields,
  known: EntityType | undefined,
  indexes: readonly (readonly string[])[],
): string[] {
  const all = new Map([...(known?.fields ?? []), ...wanted]);
  const tables = known
    ? [...wanted]
        .filter(([field]) => !known.fields.has(field))
        .flatMap(([field, kind]) => [
          addColumn(words, historyTableOf(name), field, kind),
          addColumn(words, name, field, kind),
        ])
    : [
        createFieldsTable(words),
        createTable(words, name, 'history', all),
        createTable(words, name, 'current', all),
      ];
  return [
    ...tables,
    ...indexes.map((fields) => createIndex(words, name, fields, all)),
    ...[...rowsFor(wanted, known), ...indexes.map((fields) => indexRow(name, fields))].map((row) =>
      shownFieldRow(words, name, row),
    ),
  ];
}

/** Not every engine tells capitals in the names of tables apart: two types would share one. */
function* refuseLookalikes(scene: Scene, name: string, limits: CallLimits): Work<void> {
  for (const other of yield* readTypeNames(scene, limits)) {
    if (other === name || fold(other) !== fold(name)) continue;
    throw new EntityFieldError(
      `The type ${shown(name)} differs from ${shown(other)} in capitals or accents only, which not every engine tells apart. Nothing was sent.`,
      { kind: 'usage', code: 'DAL_ENTITY_FIELD' },
    );
  }
}

/** A table of this name that is not one of entities stays as it is. */
function* refuseStrangers(scene: Scene, name: string, limits: CallLimits): Work<void> {
  for (const table of [name, historyTableOf(name)]) {
    const columns = yield* readColumns(scene, table, limits);
    if (columns.size === 0) continue;
    const missing = SYSTEM_COLUMNS.filter((column) => !columns.has(column));
    if (missing.length === 0) continue;
    throw new EntitySchemaError(
      `There is a table ${shown(table)} already, and it is not one of entities: it has no column ${missing.join(', ')}. Use another name for the type.`,
      { kind: 'schema', code: 'DAL_ENTITY_TABLE_TAKEN', ddl: [] },
    );
  }
}

function* writeDown(
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

function* completeTable(
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
    yield* insist(scene, createTable(words, type.name, which, NO_FIELDS), limits);
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

function* makeIndex(
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

function indexRow(type: string, fields: readonly string[]): FieldRow {
  return { part: 'index', name: indexName(type, fields), kind: JSON.stringify(fields) };
}

// oxlint-disable-next-line require-yield -- one of several answers to the same question
function* alwaysDone(): Work<boolean> {
  return true;
}

/**
 * Runs a statement that others may be running too. When it fails because of that, it is tried again,
 * unless what it was for is there by then.
 */
function* insist(
  scene: Scene,
  text: string,
  limits: CallLimits,
  values: readonly unknown[] = [],
  isDone?: () => Work<boolean>,
): Work<void> {
  const options: StatementOptions = { ...limits.statement };
  for (let attempt = 1; ; attempt++) {
    try {
      const run = (): Work<unknown> => execute({ text, values }, options);
      // A failure must not end the caller's transaction.
      yield* scene.inTransaction() ? transaction(run) : run();
      return;
    } catch (error) {
      const kind = isDalError(error) ? error.kind : '';
      // A row of the table of fields, or of the catalog of tables (PostgreSQL).
      if (kind === 'unique' && values.length > 0) return;
      if (kind === 'schema' && isDone && (yield* isDone())) return;
      if (attempt >= (passing.get(kind) ?? 0)) throw error;
      yield { do: 'pause', ms: Math.random() * 20 * attempt };
    }
  }
}

/** How often a statement is tried while other processes make the same tables. */
const passing: ReadonlyMap<string, number> = new Map([
  ['unique', 20],
  ['deadlock', 20],
  ['serialization', 20],
  ['stalePlan', 20],
  ['schema', 3],
]);
