import { isDalError } from '@dal/core';
import { EntityError } from './entity-errors.ts';
import type { EntityType } from './entity-type.ts';
import type { FieldKind } from './field-kind.ts';
import { type CheckValues, growType, missingIndexes } from './grow-type.ts';
import { findType, readType } from './read-types.ts';
import type { CallLimits, Scene } from './scene.ts';
import type { Work } from './work.ts';

/** The type with all these fields, as it is known, or made to have them. */
export function* typeFor(
  scene: Scene,
  name: string,
  kinds: ReadonlyMap<string, FieldKind>,
  limits: CallLimits,
  check?: CheckValues,
): Work<EntityType> {
  const known = scene.types.get(name);
  if (known && hasAll(known, kinds) && missingIndexes(scene, name, kinds, known).length === 0) {
    return known;
  }
  return yield* growType(scene, name, kinds, limits, check);
}

/** The type that is there, or undefined; with `ddl: 'never'` it has to be there. */
export function* typeToRead(
  scene: Scene,
  name: string,
  limits: CallLimits,
): Work<EntityType | undefined> {
  const type = yield* findType(scene, name, limits);
  if (!type && scene.settings.ddl === 'never')
    return yield* growType(scene, name, new Map(), limits);
  return type;
}

/** What was known of the type is not so any more; whoever throws it has changed nothing. */
export class StaleType extends Error {}

/** Every other process that adds a field may make the type stale once more. */
const MAX_ATTEMPTS = 30;
/** What is still missing after that is missing for another reason. */
const MAX_MENDINGS = 3;

/**
 * Tries again with the type as the database has it now, when another process has changed it, and
 * makes what was written down and is not there yet: that process may be about to, or have died.
 */
export function* withFreshType<T>(
  scene: Scene,
  name: string,
  kinds: ReadonlyMap<string, FieldKind>,
  limits: CallLimits,
  attempt: () => Work<T>,
): Work<T> {
  let mendings = 0;
  for (let count = 1; ; count++) {
    try {
      return yield* attempt();
    } catch (error) {
      if (count === MAX_ATTEMPTS) throw error;
      const isStale = error instanceof StaleType;
      const mayMend = isMissing(error) && !scene.inTransaction() && mendings++ < MAX_MENDINGS;
      if (!isStale && !mayMend) throw error;
      if (scene.inTransaction()) {
        yield* readType(scene, name, limits);
      } else {
        scene.types.forget(name);
        yield* growType(scene, name, kinds, limits);
      }
    }
  }
}

function hasAll(type: EntityType, kinds: ReadonlyMap<string, FieldKind>): boolean {
  for (const field of kinds.keys()) if (!type.fields.has(field)) return false;
  return true;
}

function isMissing(error: unknown): boolean {
  return isDalError(error) && error.kind === 'schema' && !(error instanceof EntityError);
}
