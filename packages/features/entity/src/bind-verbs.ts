import type { Row } from '@dal/core';
import { bindCollection } from './bind-collection.ts';
import { buildQuery, type Run } from './build-query.ts';
import type { EntityVerbs, TypeOptions, World } from './entity-manager.ts';
import type { EntitySchema } from './entity.ts';
import type { CallOptions } from './verb-options.ts';
import { entityFromJson, entityToJson } from './entity-json.ts';
import { checkTypeName } from './entity-names.ts';
import { readTypeOptions } from './entity-options.ts';
import {
  countEntities,
  entityExists,
  findEntities,
  getEntity,
  getEntityBy,
} from './find-entities.ts';
import { checkFields, kindsOf, readFields } from './given-entity.ts';
import { growType } from './grow-type.ts';
import { readHistory, readVersion } from './read-history.ts';
import { readType, readTypeNames } from './read-types.ts';
import {
  deleteEntity,
  restoreEntity,
  rollbackTo,
  saveEntity,
  updateFields,
} from './save-entity.ts';
import { saveMany } from './save-many.ts';
import { CallLimits, type Scene } from './scene.ts';
import { execute, type Statement, type Work } from './work.ts';

/** All verbs, in the world that `run` belongs to. */
export function bindVerbs<W extends World>(scene: Scene, run: Run<W>): EntityVerbs<W> {
  const em: EntityVerbs<W> = {
    save: (name, entity, options) => run(saveEntity(scene, name, entity, options)),
    saveMany: (name, entities, options) => run(saveMany(scene, name, entities, options)),
    get: (name, id, options) => run(getEntity(scene, name, id, options)),
    getBy: (name, field, value, options) => run(getEntityBy(scene, name, field, value, options)),
    find: (name, options) => run(findEntities(scene, name, options)),
    count: (name, options) => run(countEntities(scene, name, options)),
    exists: (name, id, options) => run(entityExists(scene, name, id, options)),
    updateFields: (name, id, fields, options) =>
      run(updateFields(scene, name, id, fields, options)),
    delete: (name, id, options) => run(deleteEntity(scene, name, id, options)),
    restore: (name, id, options) => run(restoreEntity(scene, name, id, options)),
    history: (name, id, options) => run(readHistory(scene, name, id, options)),
    version: (name, id, version, options) => run(readVersion(scene, name, id, version, options)),
    rollbackTo: (name, id, version, options) => run(rollbackTo(scene, name, id, version, options)),
    types: (options) => run(readTypeNames(scene, new CallLimits('types', options))),
    schema: (name, options) => run(readSchema(scene, name, options)),
    prepare: (name, sample, options) => run(prepare(scene, name, sample, options)),
    raw: (statement, values, options) =>
      run(
        raw(
          typeof statement === 'string' ? { text: statement, values: values ?? [] } : statement,
          options,
        ),
      ),
    toJson: entityToJson,
    fromJson: (name, json, options) => run(entityFromJson(scene, name, json, options)),
    from: <F = Row>(name: string) => buildQuery<W, F>(scene, run, name),
    collection: (name, schema, options) => {
      declareType(scene, name, options);
      return bindCollection(scene, run, em, name, schema);
    },
  };
  return em;
}

function* readSchema(
  scene: Scene,
  name: string,
  options?: CallOptions,
): Work<EntitySchema | undefined> {
  const limits = new CallLimits('schema', options);
  checkTypeName(name, scene.words);
  return (yield* readType(scene, name, limits))?.schema;
}

function* prepare(
  scene: Scene,
  name: string,
  sample: object = {},
  options?: CallOptions,
): Work<void> {
  const limits = new CallLimits('prepare', options);
  checkTypeName(name, scene.words);
  const fields = readFields(name, sample);
  const kinds = kindsOf(name, fields);
  yield* growType(scene, name, kinds, limits, (known) => {
    checkFields(name, known, kinds, fields);
  });
}

function* raw(statement: Statement, options?: object): Work<Row[]> {
  return (yield* execute(statement, options)).rows;
}

function declareType({ settings, words }: Scene, name: string, options?: TypeOptions): void {
  checkTypeName(name, words);
  if (options) settings.types.set(name, readTypeOptions(name, options));
}
