import type { Driver, PoolSettings } from '@dal/core';
import { AutoScale } from './auto-scale.ts';
import type { Lender } from './lender.ts';
import type { ServerLimit } from './server-limit.ts';
import type { SessionStock } from './session-stock.ts';

export interface SizingParts<Raw> {
  readonly driver: Pick<Driver, 'classify'>;
  readonly settings: PoolSettings;
  readonly serverLimit: ServerLimit;
  readonly lender: Lender<Raw>;
  readonly stock: SessionStock<unknown, Raw>;
  setTarget(size: number): number;
}

/** How many sessions there may be: what the server has places for, and what the load asks for. */
export class PoolSizing<Raw> {
  readonly #parts: SizingParts<Raw>;
  #scaling: AutoScale | undefined;
  #stopped = false;

  constructor(parts: SizingParts<Raw>) {
    this.#parts = parts;
  }

  /** No more than the server is known to have places for. */
  get max(): number {
    return Math.min(this.#parts.settings.max, this.#parts.serverLimit.known);
  }

  /** Somebody waits: where the load decides of the size, it is watched from now on. */
  onWait(): void {
    const { settings, lender, setTarget } = this.#parts;
    const { autoScale, min } = settings;
    if (!autoScale || this.#scaling || this.#stopped) return;
    const look = () => ({ lent: lender.leases.size, waiting: lender.waiting, max: this.max });
    this.#scaling = new AutoScale({ look, setTarget }, { min, ...autoScale });
  }

  stop(): void {
    this.#stopped = true;
    this.#scaling?.stop();
  }

  /**
   * True when the server has no place left while we have some: whoever waits gets one of these, and to
   * ask for more would only be in the way of others.
   */
  isFull(error: unknown): boolean {
    const { driver, serverLimit, lender, stock } = this.#parts;
    if (judge(driver, error) !== 'overloaded') return false;
    // Attempts under way may still be let in; what is refused after them lowers the limit further.
    const ours = lender.leases.size + stock.idle.length + stock.checking + stock.opening;
    serverLimit.full(ours, performance.now());
    return ours > 0;
  }
}

function judge(driver: Pick<Driver, 'classify'>, error: unknown): string | undefined {
  try {
    return driver.classify(error).kind;
  } catch {
    // A driver's judge must never throw; where it does, nothing is known.
    return undefined;
  }
}
