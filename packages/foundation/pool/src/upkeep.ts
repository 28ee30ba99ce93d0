import type { PoolSettings } from '@dal/core';

/**
 * The one timer of a pool. It looks after sessions that rest and loans that last, a few times within
 * the shortest time it has to keep, and never keeps the process alive.
 */
export class Upkeep {
  readonly #everyMs: number;
  /** False: there is nothing to look after until `start` is called again. */
  readonly #look: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(settings: PoolSettings, look: () => boolean) {
    this.#everyMs = Math.min(Math.max(shortestOf(settings) / LOOKS, SHORTEST_MS), LONGEST_MS);
    this.#look = look;
  }

  /** Costs nothing when it runs already. */
  start(): void {
    if (this.#timer === undefined && !this.#stopped) this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = setTimeout(this.#onTimer, this.#everyMs);
    this.#timer.unref();
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    if (this.#look()) this.start();
  };
}

/** A time that is over is noticed after a quarter of it more at the latest. */
const LOOKS = 4;
const SHORTEST_MS = 10;
const LONGEST_MS = 5_000;

/** The first of all times that somebody has to look after. */
function shortestOf(settings: PoolSettings): number {
  const { idleTimeoutMs, maxLifetimeMs, healthCheckIntervalMs, leakThresholdMs } = settings;
  return Math.min(idleTimeoutMs, maxLifetimeMs, healthCheckIntervalMs, leakThresholdMs);
}
