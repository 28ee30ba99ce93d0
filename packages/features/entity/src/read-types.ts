import { type ExecuteResult, isDalError, type Row } from '@dal/core';
import { EntityType } from './entity-type.ts';
import { FIELDS_TABLE } from './entity-names.ts';
import type { FieldKind } from './field-kind.ts';
import type { CallLimits, Scene } from './scene.ts';
import { execute, rowsOf, transaction, type Work } from './work.ts';

/** The type as it is known, or as the database has it; undefined when it isn't there. */
export function* findType(
  scene: Scene,
  name: string,
  limits: CallLimits,
): Work<EntityType | undefined> {
  return scene.types.get(name) ?? (yield* readType(scene, name, limits));
}

/** The type as the database has it now. */
export function* readType(
  scene: Scene,
  name: string,
  limits: CallLimits,
): Work<EntityType | undefined> {
  if (!(yield* hasFieldsTable(scene, limits))) return undefined;
  const { words } = scene;
  const [part, item, kind, type] = ['part', 'name', 'kind', 'entity_type'].map(words.quote);
  const rows = yield* rowsOf(
    {
      text: `SELECT ${part}, ${item}, ${kind} FROM ${words.quote(FIELDS_TABLE)} WHERE ${type} = ?`,
      values: [name],
    },
    limits.question,
  );
  const found = typeOf(scene, name, rows);
  if (found) scene.types.keep(found);
  return found;
}

export function* readTypeNames(scene: Scene, limits: CallLimits): Work<string[]> {
  if (!(yield* hasFieldsTable(scene, limits))) return [];
  const { quote } = scene.words;
  const type = quote('entity_type');
  const rows = yield* rowsOf(
    {
      text: `SELECT ${type} AS name FROM ${quote(FIELDS_TABLE)} WHERE ${quote('part')} = ? ORDER BY ${type}`,
      values: ['type'],
    },
    limits.question,
  );
  return rows.map((row) => String(row['name']));
}

/**
 * The type, read anew when a row shows that it has grown since. What is still not known then has been
 * added by hand, and is left alone.
 */
export function* typeOfRows(
  scene: Scene,
  type: EntityType,
  rows: readonly Row[],
  limits: CallLimits,
): Work<EntityType> {
  const [first] = rows;
  if (first === undefined || type.knows(first)) return type;
  const grown = (yield* readType(scene, type.name, limits)) ?? type;
  if (!grown.knows(first)) {
    for (const column of Object.keys(first)) {
      if (!grown.kindOf(column)) grown.foreign.add(column);
    }
  }
  return grown;
}

/** The columns of a table; none when there is no such table. Asked in a way that every engine knows. */
export function* readColumns(
  scene: Scene,
  table: string,
  limits: CallLimits,
): Work<ReadonlySet<string>> {
  const statement = { text: `SELECT * FROM ${scene.words.quote(table)} WHERE 1 = 0`, values: [] };
  const ask = (): Work<ExecuteResult> => execute(statement, limits.question);
  for (let attempt = 1; ; attempt++) {
    try {
      // A question for a table that isn't there would end the caller's transaction on PostgreSQL.
      const { columns } = yield* scene.inTransaction() ? transaction(ask) : ask();
      return new Set(columns.map(({ name }) => name));
    } catch (error) {
      const kind = isDalError(error) ? error.kind : '';
      if (kind === 'schema') return new Set();
      // It has got a column since the session prepared the question.
      if (kind !== 'stalePlan' || attempt === 3) throw error;
    }
  }
}

function typeOf(scene: Scene, name: string, rows: readonly Row[]): EntityType | undefined {
  if (!rows.some((row) => row['part'] === 'type')) return undefined;
  const fields = rows
    .filter((row) => row['part'] === 'field')
    .map((row) => [String(row['name']), row['kind'] as FieldKind] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const indexes = rows
    .filter((row) => row['part'] === 'index')
    .map((row) => JSON.parse(String(row['kind'])) as string[]);
  return new EntityType(name, new Map(fields), indexes, scene.words);
}

function* hasFieldsTable(scene: Scene, limits: CallLimits): Work<boolean> {
  if (scene.types.hasFieldsTable) return true;
  const columns = yield* readColumns(scene, FIELDS_TABLE, limits);
  if (columns.size > 0) scene.types.foundFieldsTable();
  return columns.size > 0;
}
