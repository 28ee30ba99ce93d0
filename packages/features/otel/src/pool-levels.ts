import { type ObservedPool, observedPools } from '@dal/core';
import type { Levels } from './instruments.ts';
import type { KnownPools } from './known-pool.ts';
import { attributeNames, states } from './names.ts';
import type { Attributes, BatchObservableResult, Observable } from './open-telemetry.ts';

/** What a pool is like at one moment. */
interface Look {
  readonly idle: number;
  readonly used: number;
  readonly idleMax: number;
  readonly idleMin: number;
  readonly limit: number;
  readonly pending: number;
  /** Undefined as long as nobody has said anything of it. */
  readonly scaling: number | undefined;
}

const GONE = { idle: 0, used: 0, idleMax: 0, idleMin: 0, limit: 0, pending: 0 };
/** Names of closed pools that are remembered. */
const MOST_CLOSED = 1_000;

/** Tells what every open pool is like at the moment of a collection. */
export class PoolLevels {
  readonly #pools: KnownPools;
  readonly #levels: Levels;
  /** The last word of `@dal/scaling` on each pool. */
  readonly #scaling: WeakMap<ObservedPool, number>;
  /**
   * The pools that were told of. The SDK repeats the last number of each series for ever, so those that
   * have closed are told of too: nothing is left.
   */
  readonly #told = new Map<string, { readonly ofPool: Attributes; scaling: number | undefined }>();

  constructor(pools: KnownPools, levels: Levels, scaling: WeakMap<ObservedPool, number>) {
    this.#pools = pools;
    this.#levels = levels;
    this.#scaling = scaling;
  }

  readonly observe = (result: BatchObservableResult): void => {
    const open = new Set<string>();
    for (const pool of observedPools) {
      const { ofPool } = this.#pools.of(pool);
      const { min, overflow } = pool.view.settings;
      const { size, lent, waiting, target, max } = pool.view.stats();
      const scaling = this.#scaling.get(pool);
      open.add(pool.name);
      this.#told.set(pool.name, { ofPool, scaling });
      this.#tell(result, ofPool, {
        // Those that are asked for a sign of life are nobody's either.
        idle: size - lent,
        used: lent,
        idleMax: target,
        idleMin: min,
        limit: max + overflow,
        pending: waiting,
        scaling,
      });
    }
    for (const [name, { ofPool, scaling }] of this.#told) {
      if (open.has(name)) continue;
      this.#tell(result, ofPool, { ...GONE, scaling: scaling === undefined ? undefined : 0 });
      if (this.#told.size > MOST_CLOSED) this.#told.delete(name);
    }
  };

  #tell(result: BatchObservableResult, ofPool: Attributes, look: Look): void {
    const tell = (metric: Observable | undefined, value: number, attributes = ofPool): void => {
      if (metric) result.observe(metric, value, attributes);
    };
    const { count, idleMax, idleMin, limit, pendingRequests, scalingLevel } = this.#levels;
    const { state } = attributeNames;
    tell(count, look.idle, { ...ofPool, [state]: states.idle });
    tell(count, look.used, { ...ofPool, [state]: states.used });
    tell(idleMax, look.idleMax);
    tell(idleMin, look.idleMin);
    tell(limit, look.limit);
    tell(pendingRequests, look.pending);
    if (look.scaling !== undefined) tell(scalingLevel, look.scaling);
  }
}
