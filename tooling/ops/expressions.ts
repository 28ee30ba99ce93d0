import { label, metrics, series } from './promql.ts';
import { states } from '../../packages/features/otel/src/names.ts';

type Timed = 'waitTime' | 'useTime' | 'createTime' | 'duration';

/**
 * The expressions that rules and the dashboard are made of. `by` are the labels to group by, `over` is
 * a length of time.
 */
export class Expressions {
  readonly #ofPools: readonly string[];
  readonly #ofCalls: readonly string[];

  /** @param filters what the series of pools and those of calls must have, such as `job="shop"` */
  constructor(filters: { pools?: readonly string[]; calls?: readonly string[] } = {}) {
    this.#ofPools = filters.pools ?? [];
    this.#ofCalls = filters.calls ?? [];
  }

  connections(state: keyof typeof states): string {
    return series(metrics.count, undefined, [
      `${label.state}="${states[state]}"`,
      ...this.#ofPools,
    ]);
  }

  /** The number that a pool has now. Scraped and pushed at the same time it is still one. */
  now(
    of: 'limit' | 'idleMax' | 'idleMin' | 'pendingRequests' | 'scalingLevel',
    by: string,
  ): string {
    return `max by (${by}) (${series(metrics[of], undefined, this.#ofPools)})`;
  }

  lent(by: string): string {
    return `max by (${by}) (${this.connections('used')})`;
  }

  /** Lent connections, on average. */
  lentOver(over: string, by: string): string {
    return `max by (${by}) (avg_over_time(${this.connections('used')}[${over}]))`;
  }

  utilisation(over: string, by: string): string {
    return `${this.lentOver(over, by)} / (${this.now('limit', by)} > 0)`;
  }

  /** Callers that waited in vain. */
  timeouts(over: string, by: string): string {
    return `sum by (${by}) (increase(${this.#pool('timeouts', 'total')}[${over}]))`;
  }

  /** Callers that got a connection. */
  served(over: string, by: string): string {
    return `sum by (${by}) (increase(${this.#pool('waitTime', 'count')}[${over}]))`;
  }

  poolRate(of: 'timeouts' | 'createTime', over: string, by: string): string {
    const part = of === 'timeouts' ? 'total' : 'count';
    return `sum by (${by}) (rate(${this.#pool(of, part)}[${over}]))`;
  }

  /** What loans took that have ended: as many connections were lent for them, on average. */
  returned(over: string, by: string): string {
    return `sum by (${by}) (rate(${this.#pool('useTime', 'sum')}[${over}]))`;
  }

  quantile(share: number, of: Timed, over: string, by: string): string {
    const filters = of === 'duration' ? this.#ofCalls : this.#ofPools;
    const buckets = `rate(${series(metrics[of], 'bucket', filters)}[${over}])`;
    return `histogram_quantile(${share}, sum by (${by}, le) (${buckets}))`;
  }

  calls(over: string, by: string, having: readonly string[] = []): string {
    return `sum by (${by}) (increase(${this.#call('duration', 'count', having)}[${over}]))`;
  }

  callRate(over: string, by: string, having: readonly string[] = []): string {
    return `sum by (${by}) (rate(${this.#call('duration', 'count', having)}[${over}]))`;
  }

  /** How much of `duration`, or how many rows, a second. */
  callSum(of: 'duration' | 'returnedRows', over: string, by: string): string {
    return `sum by (${by}) (rate(${this.#call(of, 'sum')}[${over}]))`;
  }

  #pool(of: keyof typeof metrics, part: 'count' | 'sum' | 'total'): string {
    return series(metrics[of], part, this.#ofPools);
  }

  #call(
    of: 'duration' | 'returnedRows',
    part: 'count' | 'sum',
    having: readonly string[] = [],
  ): string {
    return series(metrics[of], part, [...having, ...this.#ofCalls]);
  }
}
