import type { Reply, World } from './entity-manager.ts';
import type { Entity } from './entity.ts';
import type { Direction, CallOptions, Operator } from './verb-options.ts';

/** A question that is put together piece by piece; each call gives a new one. */
export interface EntityQuery<W extends World, F> {
  /** The field equals the value; null: has none; a list: one of them. */
  where(field: string, value: unknown): EntityQuery<W, F>;
  /** @throws ConfigError for an operator that there isn't */
  where(field: string, operator: Operator, value: unknown): EntityQuery<W, F>;
  orderBy(field: string, direction?: Direction): EntityQuery<W, F>;
  limit(count: number): EntityQuery<W, F>;
  offset(count: number): EntityQuery<W, F>;
  /** Deleted ones too. */
  includeDeleted(): EntityQuery<W, F>;
  all(options?: CallOptions): Reply<W, Entity<F>[]>;
  first(options?: CallOptions): Reply<W, Entity<F> | undefined>;
  /** All that match, whatever `limit` and `offset` say. */
  count(options?: CallOptions): Reply<W, number>;
}
