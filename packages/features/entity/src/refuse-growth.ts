import {
  addColumn,
  createFieldsTable,
  createIndex,
  createTable,
  indexRow,
  missingRows,
  shownFieldRow,
} from './ddl.ts';
import { EntityFieldError, EntitySchemaError } from './entity-errors.ts';
import { checkFieldName, historyTableOf, shown } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import type { Fields } from './field-kind.ts';
import { readColumns, readTypeNames } from './read-types.ts';
import type { CallLimits, Scene } from './scene.ts';
import { SYSTEM_COLUMNS } from './system-columns.ts';
import type { Work } from './work.ts';

/**
 * Engines that don't tell capitals or accents in names apart would have one column for two fields.
 *
 * @throws EntityFieldError
 */
export function checkNames(
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

/**
 * Where tables and columns may not be made.
 *
 * @throws EntitySchemaError with the statements that would be needed
 */
export function refuseGrowth(
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

/** Not every engine tells capitals in the names of tables apart: two types would share one. */
export function* refuseLookalikes(scene: Scene, name: string, limits: CallLimits): Work<void> {
  for (const other of yield* readTypeNames(scene, limits)) {
    if (other === name || fold(other) !== fold(name)) continue;
    throw new EntityFieldError(
      `The type ${shown(name)} differs from ${shown(other)} in capitals or accents only, which not every engine tells apart. Nothing was sent.`,
      { kind: 'usage', code: 'DAL_ENTITY_FIELD' },
    );
  }
}

/** A table of this name that is not one of entities stays as it is. */
export function* refuseStrangers(scene: Scene, name: string, limits: CallLimits): Work<void> {
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
    ...[...missingRows(wanted, known), ...indexes.map((fields) => indexRow(name, fields))].map(
      (row) => shownFieldRow(words, name, row),
    ),
  ];
}

function fold(field: string): string {
  return field.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
}
