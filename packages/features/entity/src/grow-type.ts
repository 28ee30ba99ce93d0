import { createFieldsTable, missingRows } from './ddl.ts';
import { EntitySchemaError } from './entity-errors.ts';
import { historyTableOf, shown } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import type { Fields } from './field-kind.ts';
import { insist } from './insist.ts';
import { completeTable, makeIndex, writeDown } from './make-tables.ts';
import { readColumns, readType } from './read-types.ts';
import { checkNames, refuseGrowth, refuseLookalikes, refuseStrangers } from './refuse-growth.ts';
import type { CallLimits, Scene } from './scene.ts';
import { isSystemColumn } from './system-columns.ts';
import type { Work } from './work.ts';

/** Refuses values, by what is there. */
export type CheckValues = (known: Fields) => void;

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
  check?.(known?.fields ?? new Map());
  const indexes = missingIndexes(scene, name, wanted, known);
  if (known && indexes.length === 0 && (yield* isWhole(scene, known, wanted, limits))) return known;
  refuseGrowth(scene, name, wanted, known, indexes);
  if (scene.inTransaction()) scene.types.keepApart();

  if (!known) {
    yield* refuseLookalikes(scene, name, limits);
    yield* refuseStrangers(scene, name, limits);
  }
  yield* insist(scene, createFieldsTable(scene.words), limits);
  scene.types.foundFieldsTable();
  yield* writeDown(scene, name, missingRows(wanted, known), limits);
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
