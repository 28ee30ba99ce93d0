import { DalError, type DalErrorDetails } from '@dal/core';
import type { StandardSchemaV1 } from './standard-schema.ts';

/** What goes wrong with entities, beside what databases do. */
export class EntityError extends DalError {
  override readonly name: string = 'EntityError';
}

/** `DAL_ENTITY_NOT_FOUND`: there is no such entity or version, or it is deleted. */
export class EntityNotFoundError extends EntityError {
  override readonly name: string = 'EntityNotFoundError';
}

/** `DAL_ENTITY_VERSION`: the entity is not in the version that the caller expected; nothing was changed. */
export class VersionConflictError extends EntityError {
  override readonly name: string = 'VersionConflictError';
  readonly expectedVersion: number;
  /** Null when there is no such entity. */
  readonly actualVersion: number | null;

  constructor(
    message: string,
    details: DalErrorDetails & {
      readonly expectedVersion: number;
      readonly actualVersion: number | null;
    },
  ) {
    super(message, details);
    this.expectedVersion = details.expectedVersion;
    this.actualVersion = details.actualVersion;
  }
}

/** `DAL_ENTITY_TYPE`: a value does not fit its field, or nothing can hold it; nothing was sent. */
export class EntityTypeError extends EntityError {
  override readonly name: string = 'EntityTypeError';
}

/** `DAL_ENTITY_FIELD`: the type has no such field, or the name can be none; nothing was sent. */
export class EntityFieldError extends EntityError {
  override readonly name: string = 'EntityFieldError';
}

/**
 * Tables or columns are missing and may not be made here: `DAL_ENTITY_DDL_NEVER` with `ddl: 'never'`,
 * `DAL_ENTITY_DDL_IN_TRANSACTION` where the engine would commit the open transaction for it (MySQL,
 * MariaDB); `DAL_ENTITY_TABLE_TAKEN` when the table there is not one of entities.
 */
export class EntitySchemaError extends EntityError {
  override readonly name: string = 'EntitySchemaError';
  /** The statements that make what is missing, in their order; also in the message. */
  readonly ddl: readonly string[];

  constructor(message: string, details: DalErrorDetails & { readonly ddl: readonly string[] }) {
    super(message, details);
    this.ddl = details.ddl;
  }
}

/** `DAL_ENTITY_INVALID`: the validator of the collection refused the entity; nothing was changed. */
export class EntityValidationError extends EntityError {
  override readonly name: string = 'EntityValidationError';
  readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(
    message: string,
    details: DalErrorDetails & { readonly issues: readonly StandardSchemaV1.Issue[] },
  ) {
    super(message, details);
    this.issues = details.issues;
  }
}
