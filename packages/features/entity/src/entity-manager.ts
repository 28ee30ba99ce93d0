import type {
  Queryable,
  Row,
  Sql,
  StatementOptions,
  SyncQueryable,
  TransactionOptions,
  Values,
} from '@dal/core';
import type { Collection } from './collection.ts';
import type { Entity, EntitySchema, EntityVersion } from './entity.ts';
import type { EntityQuery } from './entity-query.ts';
import type { StandardSchemaV1 } from './standard-schema.ts';
import type {
  CallOptions,
  ChangeOptions,
  CountOptions,
  DeleteOptions,
  FindOptions,
  ReadOptions,
} from './verb-options.ts';

/** Whether calls answer with a promise, or block. */
export type World = 'awaited' | 'blocking';

/** What a call answers: `Promise<T>`, or `T` in the blocking world. */
export type Reply<W extends World, T> = W extends 'awaited' ? Promise<T> : T;

/** What a manager can be bound to. */
export type Place<W extends World> = W extends 'awaited' ? Queryable : SyncQueryable;

/** The verbs of both worlds. */
export interface EntityVerbs<W extends World> {
  /**
   * Makes the entity, or changes the given fields of it; the others stay as they are, and null sets
   * null. Undefined counts as not given. Without an `id` it is a new one. The system fields that
   * `get` gave may be handed back, and are not looked at. A deleted entity stays deleted.
   *
   * @returns the whole entity
   * @throws EntityTypeError when a value does not fit the field, or nothing can hold it
   * @throws VersionConflictError see `expectedVersion`
   * @throws EntitySchemaError when a table or column is missing and may not be made here
   */
  save<F extends object = Row>(
    name: string,
    entity: F,
    options?: ChangeOptions,
  ): Reply<W, Entity<F>>;
  /**
   * Saves all of them or none, in few round trips. The same id may come twice: each is a version.
   *
   * @returns their ids, in the order of the list
   */
  saveMany(
    name: string,
    entities: Iterable<object>,
    options?: Omit<ChangeOptions, 'expectedVersion'>,
  ): Reply<W, string[]>;
  /**
   * The entity, or undefined when there is none, or when it is deleted. Calls of one turn of the
   * event loop share a statement, where nothing keeps them apart: a transaction, a `timeoutMs`, a
   * `signal`, a listener of the channel `dal:query`.
   */
  get<F = Row>(name: string, id: string, options?: ReadOptions): Reply<W, Entity<F> | undefined>;
  /** The first entity, by id, whose field has this value; null finds one without. */
  getBy<F = Row>(
    name: string,
    field: string,
    value: unknown,
    options?: ReadOptions,
  ): Reply<W, Entity<F> | undefined>;
  /** @throws EntityFieldError for a field that the type has not, with the likely right name */
  find<F = Row>(name: string, options?: FindOptions): Reply<W, Entity<F>[]>;
  count(name: string, options?: CountOptions): Reply<W, number>;
  exists(
    name: string,
    id: string,
    options?: CallOptions & { readonly includeDeleted?: boolean },
  ): Reply<W, boolean>;
  /**
   * Changes fields of an entity that is there. Two calls that change different fields at the same
   * time both count.
   *
   * @returns the whole entity
   * @throws EntityNotFoundError when there is none, or when it is deleted
   */
  updateFields<F extends object = Row>(
    name: string,
    id: string,
    fields: F,
    options?: ChangeOptions,
  ): Reply<W, Entity<F>>;
  /** Hides the entity, or takes it away for good. @returns false when there was none */
  delete(name: string, id: string, options?: DeleteOptions): Reply<W, boolean>;
  /** Brings a deleted entity back. @returns false when there was none that is deleted */
  restore(name: string, id: string, options?: ChangeOptions): Reply<W, boolean>;
  /** Versions, the newest first, the current one among them; also of a deleted entity. */
  history<F = Row>(
    name: string,
    id: string,
    options?: CallOptions & { readonly limit?: number; readonly raw?: boolean },
  ): Reply<W, EntityVersion<F>[]>;
  /** One version, or undefined when there is none. */
  version<F = Row>(
    name: string,
    id: string,
    version: number,
    options?: CallOptions & { readonly raw?: boolean },
  ): Reply<W, EntityVersion<F> | undefined>;
  /**
   * Makes a new version with the fields of an old one; fields that came later are null again. An
   * entity that was not deleted then is not deleted any more.
   *
   * @throws EntityNotFoundError when there is no such entity or version
   */
  rollbackTo<F = Row>(
    name: string,
    id: string,
    version: number,
    options?: ChangeOptions,
  ): Reply<W, Entity<F>>;
  /** Names of the types that are there, in order. */
  types(options?: CallOptions): Reply<W, string[]>;
  /** Fields and indexes of a type, as the database has them now; undefined when it isn't there. */
  schema(name: string, options?: CallOptions): Reply<W, EntitySchema | undefined>;
  /**
   * Makes what is missing for entities like this one: the tables, and a column for each field.
   * Without `sample` the tables and declared indexes alone. For the start of a program, and before a
   * transaction on MySQL or MariaDB.
   */
  prepare(name: string, sample?: object, options?: CallOptions): Reply<W, void>;
  /** Runs a statement where the manager runs its own: `em.raw('SELECT ... WHERE a = ?', [1])`. */
  raw<R = Row>(statement: string | Sql, values?: Values, options?: StatementOptions): Reply<W, R[]>;
  /** The entity as JSON. Dates become ISO text, bigint digits, bytes base64. */
  toJson(entity: object): string;
  /**
   * An entity from JSON; the fields of the type get their kinds back: dates, bigints, bytes. Also
   * the system fields. Nothing is saved.
   *
   * @throws EntityTypeError when the text is no JSON object, or a value does not fit its field
   */
  fromJson<F = Row>(name: string, json: string, options?: CallOptions): Reply<W, F>;
  /** `em.from('users').where('age', '>', 21).orderBy('name').limit(10).all()` */
  from<F = Row>(name: string): EntityQuery<W, F>;
  /** Entities of one type, checked by any Standard Schema validator (zod, valibot, arktype). */
  collection<S extends StandardSchemaV1>(
    name: string,
    schema: S,
    options?: TypeOptions,
  ): Collection<W, S>;
}

/** Entities of a database, remembered with all their versions. */
export interface EntityManager extends EntityVerbs<'awaited'> {
  /** The same verbs, blocking, through `db.sync` of `@dal/sync`. */
  readonly sync: SyncEntityManager;
  /** The same verbs on a connection or in a transaction. */
  on(place: Queryable): EntityVerbs<'awaited'>;
}

export interface SyncEntityManager extends EntityVerbs<'blocking'> {
  /** The same verbs on a connection or in a transaction of `db.sync`. */
  on(place: SyncQueryable): EntityVerbs<'blocking'>;
}

/** What can be said of one type. */
export interface TypeOptions {
  /** `off`: older versions are not kept; the number still counts. Default: the manager's. */
  readonly history?: 'on' | 'off';
  /** Fields that are looked up often: `['email', ['city', 'name']]`, a list for an index of several. */
  readonly indexes?: readonly (string | readonly string[])[];
}

export interface EntityOptions {
  /** Default: `on`. */
  readonly history?: 'on' | 'off';
  /**
   * `never`: tables and columns are not made; a missing one is an `EntitySchemaError` with the
   * statements that make it, also for calls that only read. `auto`: a type that isn't there yet has
   * no entities. Default: `auto`.
   */
  readonly ddl?: 'auto' | 'never';
  /** By type. */
  readonly types?: Readonly<Record<string, TypeOptions>>;
  /** How often a change may run again after a deadlock or a serialization failure. Default: 5. */
  readonly retries?: NonNullable<TransactionOptions['retries']>;
}
