export type { Collection } from './collection.ts';
export { createEntityManager } from './create-entity-manager.ts';
export {
  EntityError,
  EntityFieldError,
  EntityNotFoundError,
  EntitySchemaError,
  EntityTypeError,
  EntityValidationError,
  VersionConflictError,
} from './entity-errors.ts';
export type {
  EntityManager,
  EntityOptions,
  EntityVerbs,
  Place,
  Reply,
  SyncEntityManager,
  TypeOptions,
  World,
} from './entity-manager.ts';
export type { Entity, EntitySchema, EntityVersion, Operation, SystemFields } from './entity.ts';
export type {
  CallOptions,
  ChangeOptions,
  CountOptions,
  DeleteOptions,
  Direction,
  FieldConditions,
  FindOptions,
  Fragment,
  Operator,
  OrderBy,
  ReadOptions,
  Where,
} from './verb-options.ts';
export type { EntityQuery } from './entity-query.ts';
export type { FieldKind } from './field-kind.ts';
