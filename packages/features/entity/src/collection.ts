import type { StandardSchemaV1 } from './standard-schema.ts';
import type { Reply, World } from './entity-manager.ts';
import type { Entity, EntityVersion } from './entity.ts';
import type {
  CallOptions,
  ChangeOptions,
  CountOptions,
  DeleteOptions,
  FindOptions,
  ReadOptions,
} from './verb-options.ts';
import type { EntityQuery } from './entity-query.ts';

type Input<S extends StandardSchemaV1> = StandardSchemaV1.InferInput<S> & { readonly id?: string };
type Output<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>;

/**
 * Entities of one type, with the types of its schema. What is saved whole is validated first, and
 * what the validator makes of it is what is stored.
 */
export interface Collection<W extends World, S extends StandardSchemaV1> {
  readonly name: string;
  /**
   * Validates the whole entity and saves it.
   *
   * @throws EntityValidationError with the validator's issues; nothing was sent
   */
  save(entity: Input<S>, options?: ChangeOptions): Reply<W, Entity<Output<S>>>;
  saveMany(
    entities: Iterable<Input<S>>,
    options?: Omit<ChangeOptions, 'expectedVersion'>,
  ): Reply<W, string[]>;
  get(id: string, options?: ReadOptions): Reply<W, Entity<Output<S>> | undefined>;
  getBy(
    field: keyof Output<S> & string,
    value: unknown,
    options?: ReadOptions,
  ): Reply<W, Entity<Output<S>> | undefined>;
  find(options?: FindOptions): Reply<W, Entity<Output<S>>[]>;
  count(options?: CountOptions): Reply<W, number>;
  exists(
    id: string,
    options?: CallOptions & { readonly includeDeleted?: boolean },
  ): Reply<W, boolean>;
  /** The entity as it would be then is validated, in the transaction that changes it. */
  updateFields(
    id: string,
    fields: { readonly [Field in keyof Output<S>]?: Output<S>[Field] | undefined },
    options?: ChangeOptions,
  ): Reply<W, Entity<Output<S>>>;
  delete(id: string, options?: DeleteOptions): Reply<W, boolean>;
  restore(id: string, options?: ChangeOptions): Reply<W, boolean>;
  history(
    id: string,
    options?: CallOptions & { readonly limit?: number },
  ): Reply<W, EntityVersion<Output<S>>[]>;
  version(
    id: string,
    version: number,
    options?: CallOptions,
  ): Reply<W, EntityVersion<Output<S>> | undefined>;
  rollbackTo(id: string, version: number, options?: ChangeOptions): Reply<W, Entity<Output<S>>>;
  from(): EntityQuery<W, Output<S>>;
}
