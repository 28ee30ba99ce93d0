import type { Database, Queryable, SyncQueryable } from '@dal/core';
import { bindVerbs } from './bind-verbs.ts';
import type { Run } from './build-query.ts';
import { engineWords } from './engine-words.ts';
import type {
  EntityManager,
  EntityOptions,
  EntityVerbs,
  SyncEntityManager,
} from './entity-manager.ts';
import { readEntityOptions } from './entity-options.ts';
import { GatheredGets } from './gathered-gets.ts';
import { KnownTypes } from './known-types.ts';
import type { Scene } from './scene.ts';
import { runAwaited, runBlocking, type Work } from './work.ts';

/**
 * Entities in this database: `createEntityManager(db).save('users', { name: 'Ada' })`.
 *
 * @throws ConfigError for wrong options, with the likely right name
 */
export function createEntityManager(db: Database, options?: EntityOptions): EntityManager {
  const scene: Scene = {
    words: engineWords(db.dialect),
    settings: readEntityOptions(options),
    types: new KnownTypes(),
    isBound: false,
    inTransaction: () => false,
  };
  const places = new WeakMap<object, KnownTypes>();
  let sync: SyncEntityManager | undefined;
  const gets = new GatheredGets((work) => runAwaited(work, db));
  return {
    ...awaited({ ...scene, gets }, () => db),
    on: (place) => awaited(boundTo(scene, places, place), () => place),
    get sync() {
      sync ??= {
        ...blocking(scene, () => db.sync),
        on: (place) => blocking(boundTo(scene, places, place), () => place),
      };
      return sync;
    },
  };
}

function awaited(scene: Scene, place: () => Queryable): EntityVerbs<'awaited'> {
  const run = (work: Work<unknown>): Promise<unknown> => runAwaited(work, place());
  return bindVerbs(scene, run as Run<'awaited'>);
}

function blocking(scene: Scene, place: () => SyncQueryable): EntityVerbs<'blocking'> {
  const run = (work: Work<unknown>): unknown => runBlocking(work, place());
  return bindVerbs(scene, run as Run<'blocking'>);
}

/** One place has one knowledge of types, however often it is named. */
function boundTo(
  scene: Scene,
  places: WeakMap<object, KnownTypes>,
  place: Queryable | SyncQueryable,
): Scene {
  const known = places.get(place);
  // A connection may have rolled back what was made on it.
  const isOver = known?.isApart === true && !isInTransaction(place);
  const types = known === undefined || isOver ? new KnownTypes(scene.types) : known;
  places.set(place, types);
  return { ...scene, types, isBound: true, inTransaction: () => isInTransaction(place) };
}

/** A database has a pool of its own to ping; a connection says it; all else is a transaction. */
function isInTransaction(place: object): boolean {
  if ('inTransaction' in place) return place.inTransaction === true;
  return !('ping' in place);
}
