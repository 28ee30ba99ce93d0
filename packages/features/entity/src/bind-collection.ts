import type { Row } from '@dal/core';
import type { StandardSchemaV1 } from './standard-schema.ts';
import { lockIn } from './change-entity.ts';
import type { Collection } from './collection.ts';
import type { EntityVerbs, World } from './entity-manager.ts';
import type { ChangeOptions } from './verb-options.ts';
import {
  EntityNotFoundError,
  EntityValidationError,
  VersionConflictError,
} from './entity-errors.ts';
import { shown } from './entity-names.ts';
import { put } from './entity-type.ts';
import { getEntity } from './find-entities.ts';
import type { Run } from './build-query.ts';
import { saveEntity, updateFields } from './save-entity.ts';
import { saveMany } from './save-many.ts';
import type { Scene } from './scene.ts';
import { isSystemColumn } from './system-columns.ts';
import type { Work } from './work.ts';

/** How often an update begins again because somebody else was quicker. */
const ATTEMPTS = 20;

/** The verbs of one type; what is saved passes through the validator first. */
export function bindCollection<W extends World, S extends StandardSchemaV1>(
  scene: Scene,
  run: Run<W>,
  em: EntityVerbs<W>,
  name: string,
  schema: S,
): Collection<W, S> {
  type Out = StandardSchemaV1.InferOutput<S>;
  return {
    name,
    save: (entity, options) => run(saveValid(scene, name, schema, entity as object, options)),
    saveMany: (entities, options) =>
      run(saveManyValid(scene, name, schema, entities as Iterable<object>, options)),
    updateFields: (id, fields, options) =>
      run(updateValid(scene, name, schema, id, fields, options)),
    get: (id, options) => em.get<Out>(name, id, options),
    getBy: (field, value, options) => em.getBy<Out>(name, field, value, options),
    find: (options) => em.find<Out>(name, options),
    count: (options) => em.count(name, options),
    exists: (id, options) => em.exists(name, id, options),
    delete: (id, options) => em.delete(name, id, options),
    restore: (id, options) => em.restore(name, id, options),
    history: (id, options) => em.history<Out>(name, id, options),
    version: (id, version, options) => em.version<Out>(name, id, version, options),
    rollbackTo: (id, version, options) => em.rollbackTo<Out>(name, id, version, options),
    from: () => em.from<Out>(name),
  };
}

function* saveValid(
  scene: Scene,
  name: string,
  schema: StandardSchemaV1,
  entity: object,
  options?: ChangeOptions,
): Work<Row> {
  return yield* saveEntity(scene, name, yield* validated(name, schema, entity), options);
}

function* saveManyValid(
  scene: Scene,
  name: string,
  schema: StandardSchemaV1,
  entities: Iterable<object>,
  options?: ChangeOptions,
): Work<string[]> {
  const valid: object[] = [];
  for (const entity of entities) valid.push(yield* validated(name, schema, entity));
  return yield* saveMany(scene, name, valid, options);
}

/** Only onto the version that was validated; when it has moved on, all of it again. */
function* updateValid(
  scene: Scene,
  name: string,
  schema: StandardSchemaV1,
  id: string,
  fields: object,
  options: ChangeOptions = {},
): Work<Row> {
  for (let attempt = 1; ; attempt++) {
    const now = yield* getEntity(scene, name, id, {}, lockIn(scene));
    if (!now) {
      throw new EntityNotFoundError(
        `There is no such entity of ${shown(name)}, or it is deleted. Nothing was changed.`,
        { kind: 'data', code: 'DAL_ENTITY_NOT_FOUND' },
      );
    }
    const whole = yield* validated(name, schema, { ...withoutNulls(now), ...fields });
    const changed: Row = {};
    for (const field of Object.keys(fields)) put(changed, field, (whole as Row)[field]);
    const expectedVersion = options.expectedVersion ?? Number(now['version']);
    try {
      return yield* updateFields(scene, name, id, changed, { ...options, expectedVersion });
    } catch (error) {
      const isOurs = options.expectedVersion === undefined && attempt < ATTEMPTS;
      if (!(isOurs && error instanceof VersionConflictError)) throw error;
    }
  }
}

/** The validator's own output, with the id and the system fields that it may not know of. */
function* validated(name: string, schema: StandardSchemaV1, entity: object): Work<object> {
  const { own, system } = split(entity);
  const answer = yield { do: 'settle', value: schema['~standard'].validate(own) };
  const result = answer as StandardSchemaV1.Result<object>;
  if (result.issues === undefined) return { ...result.value, ...system };
  const shownIssues = result.issues.slice(0, 5).map(({ message, path }) => {
    const keys = path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return keys ? `${keys}: ${message}` : message;
  });
  throw new EntityValidationError(
    `The entity of ${shown(name)} is not valid. ${shownIssues.join('; ')}. Nothing was changed.`,
    { kind: 'data', code: 'DAL_ENTITY_INVALID', issues: result.issues },
  );
}

function split(entity: object): { readonly own: Row; readonly system: Row } {
  const own: Row = {};
  const system: Row = {};
  for (const [field, value] of Object.entries(entity)) {
    put(isSystemColumn(field) ? system : own, field, value);
  }
  return { own, system };
}

/** A field that the entity never had is null when it is read, and missing to its validator. */
function withoutNulls(entity: Row): Row {
  return Object.fromEntries(Object.entries(entity).filter(([, value]) => value !== null));
}
