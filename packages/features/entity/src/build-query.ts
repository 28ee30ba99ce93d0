import type { Reply, World } from './entity-manager.ts';
import type { Entity } from './entity.ts';
import type { CallOptions, Direction } from './verb-options.ts';
import type { EntityQuery } from './entity-query.ts';
import { countWhere, select } from './find-entities.ts';
import { readCount } from './read-history.ts';
import { CallLimits, type Scene } from './scene.ts';
import { readDirection } from './order-clause.ts';
import { type Condition, readOperator } from './where-clause.ts';
import type { Work } from './work.ts';

/** Runs work in one of the worlds. */
export type Run<W extends World> = <T>(work: Work<unknown>) => Reply<W, T>;

interface Parts {
  readonly conditions: readonly Condition[];
  readonly order: readonly (readonly [string, 'ASC' | 'DESC'])[];
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly includeDeleted: boolean;
}

const NO_PARTS: Parts = { conditions: [], order: [], includeDeleted: false };

export function buildQuery<W extends World, F>(
  scene: Scene,
  run: Run<W>,
  name: string,
  parts: Parts = NO_PARTS,
): EntityQuery<W, F> {
  const next = (more: Partial<Parts>): EntityQuery<W, F> =>
    buildQuery<W, F>(scene, run, name, { ...parts, ...more });
  return {
    where: (field: string, ...rest: readonly unknown[]) =>
      next({ conditions: [...parts.conditions, condition(field, rest)] }),
    orderBy: (field: string, direction?: Direction) =>
      next({ order: [...parts.order, [field, readDirection(direction)]] }),
    limit: (most: number) => next({ limit: readCount('limit', most) }),
    offset: (rows: number) => next({ offset: readCount('offset', rows) }),
    includeDeleted: () => next({ includeDeleted: true }),
    all: (options?: CallOptions) => run<Entity<F>[]>(all(scene, name, parts, options)),
    first: (options?: CallOptions) =>
      run<Entity<F> | undefined>(first(scene, name, parts, options)),
    count: (options?: CallOptions) => run<number>(count(scene, name, parts, options)),
  };
}

function condition(field: string, rest: readonly unknown[]): Condition {
  if (rest.length > 1) return { field, operator: readOperator(rest[0]), value: rest[1] };
  const [value] = rest;
  return { field, operator: Array.isArray(value) ? 'in' : '=', value };
}

function* all(scene: Scene, name: string, parts: Parts, options?: CallOptions): Work<unknown> {
  return yield* select(scene, name, parts, parts, new CallLimits('all', options));
}

function* first(scene: Scene, name: string, parts: Parts, options?: CallOptions): Work<unknown> {
  if (parts.limit === 0) return undefined;
  const limits = new CallLimits('first', options);
  return (yield* select(scene, name, { ...parts, limit: 1 }, parts, limits))[0];
}

function* count(scene: Scene, name: string, parts: Parts, options?: CallOptions): Work<unknown> {
  const limits = new CallLimits('count', options);
  return yield* countWhere(scene, name, parts.conditions, parts.includeDeleted, limits);
}
