import { isDalError, type Values } from '@dal/core';
import { countFields, isHistoryOff } from './change-entity.ts';
import type { ChangeOptions } from './verb-options.ts';
import { EntityTypeError } from './entity-errors.ts';
import { checkTypeName, shown, wordFor } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import {
  type Author,
  checkFields,
  encodeFields,
  kindsOf,
  readAuthor,
  readEntity,
} from './given-entity.ts';
import { NEW_COLUMNS, newValues } from './insert-entity.ts';
import type { FieldKind } from './field-kind.ts';
import { CallLimits, type Scene } from './scene.ts';
import { StaleType, typeFor, withFreshType } from './type-for.ts';
import { execute, rowsOf, transaction, type Work } from './work.ts';

/** Rows that are changed by one statement. */
const BATCH = 500;

interface Item {
  readonly id: string;
  readonly isNew: boolean;
  readonly fields: ReadonlyMap<string, unknown>;
}

export function* saveMany(
  scene: Scene,
  name: string,
  entities: Iterable<object>,
  options?: ChangeOptions,
): Work<string[]> {
  const limits = new CallLimits('saveMany', options, ['userId', 'comment']);
  checkTypeName(name, scene.words);
  const author = readAuthor(options);
  const given = Array.from(checkList(name, entities), (entity) => readEntity(name, entity));
  const kinds = new Map<string, FieldKind>();
  for (const { fields } of given) kindsOf(name, fields, kinds);
  if (given.length === 0) return [];
  return yield* withFreshType(scene, name, kinds, limits, function* () {
    const type = yield* typeFor(scene, name, kinds, limits, (known) => {
      for (const { fields } of given) checkFields(name, known, kinds, fields);
    });
    const items = given.map(({ id, isNew, fields }): Item => ({
      id,
      isNew,
      fields: encodeFields(type, fields),
    }));
    const rounds = inRounds(items);
    const save = function* (): Work<void> {
      for (const round of rounds) yield* saveRound(scene, type, round, author, limits);
    };
    // A load of new rows is all or nothing by itself.
    if (items.every(({ isNew }) => isNew)) yield* save();
    else yield* transaction(save, limits.transaction(scene));
    return items.map(({ id }) => id);
  });
}

/** An id that comes a second time belongs to a second round: each time is a version. */
function inRounds(items: readonly Item[]): Item[][] {
  const rounds: Item[][] = [];
  const times = new Map<string, number>();
  for (const item of items) {
    const round = item.isNew ? 0 : (times.get(item.id) ?? 0);
    if (!item.isNew) times.set(item.id, round + 1);
    (rounds[round] ??= []).push(item);
  }
  return rounds;
}

function* saveRound(
  scene: Scene,
  type: EntityType,
  items: readonly Item[],
  author: Author,
  limits: CallLimits,
): Work<void> {
  const given = items.filter(({ isNew }) => !isNew);
  const there = yield* idsThere(scene, type, given, limits);
  const fresh = there.size === 0 ? items : items.filter(({ id }) => !there.has(id));
  yield* loadRows(scene, type, fresh, author, limits);
  // In one order everywhere, so that two who save the same ones wait and don't lock each other.
  const changed = given
    .filter(({ id }) => there.has(id))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  for (const batch of batches(changed)) {
    yield* keepRows(scene, type, batch, limits);
    yield* changeRows(scene, type, batch, author, limits);
  }
}

/** @throws StaleType when the type has grown since it was read */
function* idsThere(
  scene: Scene,
  type: EntityType,
  items: readonly Item[],
  limits: CallLimits,
): Work<Set<string>> {
  const { quote } = scene.words;
  const there = new Set<string>();
  for (const batch of batches(items)) {
    const id = quote('id');
    const rows = yield* rowsOf(
      {
        text: `SELECT ${id} AS id, ${countFields(quote)} AS fields FROM ${type.table} WHERE ${id} IN (${marks(batch.length)})`,
        values: [type.name, 'field', ...batch.map((item) => item.id)],
      },
      limits.statement,
    );
    for (const row of rows) {
      if (Number(row['fields']) !== type.fields.size) throw new StaleType();
      there.add(String(row['id']));
    }
  }
  return there;
}

function* loadRows(
  { inTransaction }: Scene,
  type: EntityType,
  items: readonly Item[],
  author: Author,
  limits: CallLimits,
): Work<void> {
  if (items.length === 0) return;
  const fields = new Set<string>();
  for (const item of items) for (const field of item.fields.keys()) fields.add(field);
  const columns = [...NEW_COLUMNS, ...fields];
  const rows = items.map((item): Values => {
    const values = newValues(item.id, author);
    for (const field of fields) values.push(item.fields.get(field) ?? null);
    return values;
  });
  const options = limits.statement;
  try {
    yield { do: 'load', table: type.name, columns, rows, ...(options && { options }) };
  } catch (error) {
    // Somebody has made one of them since we looked.
    const isTaken = isDalError(error) && error.kind === 'unique';
    if (isTaken && !inTransaction() && !items.every(({ isNew }) => isNew)) throw new StaleType();
    throw error;
  }
}

/** The rows as they are go to the history, and stay locked. */
function* keepRows(
  scene: Scene,
  type: EntityType,
  batch: readonly Item[],
  limits: CallLimits,
): Work<void> {
  if (isHistoryOff(scene, type.name)) return;
  const { quote, rowLock } = scene.words;
  const { columns, historyTable, table } = type;
  const id = quote('id');
  const { affectedRows } = yield* execute(
    {
      text: `INSERT INTO ${historyTable} (${columns}) SELECT ${columns} FROM ${table} WHERE ${id} IN (${marks(batch.length)}) ORDER BY ${id}${rowLock}`,
      values: batch.map((item) => item.id),
    },
    limits.statement,
  );
  // One of them was removed for good since we looked.
  if (affectedRows !== batch.length) throw new StaleType();
}

/** Each statement touches the given fields only, so entities with the same ones go together. */
function* changeRows(
  scene: Scene,
  type: EntityType,
  batch: readonly Item[],
  author: Author,
  limits: CallLimits,
): Work<void> {
  const groups = Map.groupBy(batch, ({ fields }) => [...fields.keys()].join('\0'));
  for (const group of groups.values()) {
    const names = [...(group[0]?.fields.keys() ?? [])];
    const width = NEW_COLUMNS.length + names.length;
    const { upsert, dialect } = scene.words;
    const size = upsert ? Math.max(1, Math.floor(dialect.limits.parameters / width)) : 1;
    for (const part of batches(group, size)) {
      yield* upsert
        ? upsertRows(scene, type, names, part, author, limits)
        : updateRow(scene, type, part, author, limits);
    }
  }
}

const CHANGED: readonly string[] = [
  'updated_at',
  'updated_by',
  'version_operation',
  'version_comment',
];

function* upsertRows(
  { words }: Scene,
  type: EntityType,
  names: readonly string[],
  items: readonly Item[],
  author: Author,
  limits: CallLimits,
): Work<void> {
  const { quote, upsert } = words;
  const columns = [...NEW_COLUMNS, ...names];
  const row = `(${marks(columns.length)})`;
  const version = quote('version');
  const changes = [
    `${version} = ${type.table}.${version} + 1`,
    ...[...CHANGED, ...names].map((name) => `${quote(name)} = ${upsert?.incoming(quote(name))}`),
  ];
  const text = `INSERT INTO ${type.table} (${columns.map(quote).join(', ')}) VALUES ${Array<string>(items.length).fill(row).join(', ')}${upsert?.change([quote('id')])}${changes.join(', ')}`;
  const values = items.flatMap((item) => {
    const system = newValues(item.id, author);
    system[NEW_COLUMNS.indexOf('version_operation')] = 'update';
    return [...system, ...item.fields.values()];
  });
  yield* execute({ text, values }, limits.statement);
}

function* updateRow(
  { words }: Scene,
  type: EntityType,
  items: readonly Item[],
  author: Author,
  limits: CallLimits,
): Work<void> {
  const { quote } = words;
  const version = quote('version');
  for (const { id, fields } of items) {
    const columns = [...CHANGED, ...fields.keys()];
    const text = `UPDATE ${type.table} SET ${version} = ${version} + 1, ${columns.map((name) => `${quote(name)} = ?`).join(', ')} WHERE ${quote('id')} = ?`;
    const { at, userId, comment } = author;
    const values = [at, userId, 'update', comment, ...fields.values(), id];
    yield* execute({ text, values }, limits.statement);
  }
}

function* batches<T>(items: readonly T[], size: number = BATCH): Generator<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

function marks(count: number): string {
  return Array<string>(count).fill('?').join(', ');
}

function checkList(type: string, entities: unknown): Iterable<object> {
  if (typeof entities === 'object' && entities !== null && Symbol.iterator in entities) {
    return entities as Iterable<object>;
  }
  throw new EntityTypeError(
    `saveMany takes a list of entities of ${shown(type)}, not ${wordFor(entities)}. Nothing was sent.`,
    { kind: 'usage', code: 'DAL_ENTITY_TYPE' },
  );
}
