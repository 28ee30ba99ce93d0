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
  CallOptions,
  ChangeOptions,
  CountOptions,
  DeleteOptions,
  Direction,
  Entity,
  EntityManager,
  EntityOptions,
  EntitySchema,
  EntityVerbs,
  EntityVersion,
  FieldConditions,
  FindOptions,
  Fragment,
  Operation,
  Operator,
  OrderBy,
  Place,
  ReadOptions,
  Reply,
  SyncEntityManager,
  SystemFields,
  TypeOptions,
  Where,
  World,
} from './entity-manager.ts';
export type { EntityQuery } from './entity-query.ts';
export type { FieldKind } from './field-kind.ts';
