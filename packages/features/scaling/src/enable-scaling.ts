import { ConfigError, type Database, type ObservedPool, type ScalingAdvice } from '@dal/core';
import type { Digest, DigestsOptions } from './digest.ts';
import type { HeadroomOptions } from './headroom-probe.ts';
import { readScalingOptions, type ScalingOptions } from './scaling-options.ts';
import { ScalingWatch } from './scaling-watch.ts';
import type { SlowQuery } from './slow-queries.ts';

/** A watch over every pool of this thread. */
export interface Scaling {
  /** What `db.scaling()` says too, for one pool of `observedPools`. */
  advise(pool: ObservedPool): ScalingAdvice;
  /** Where the database's time goes, by digests; the same as `digests()`. */
  digests(options?: DigestsOptions): Digest[];
  /** The last slow calls, the youngest first; 100 at most. None with `slowQueries: false`. */
  slowQueries(): readonly SlowQuery[];
  /**
   * Asks the database's server every minute how many places it has left, on a connection of the pool;
   * gives up when none is free within a second. Without it the advice does not know of the server.
   *
   * @returns what ends it; it also ends with the watch, and when the database is closed
   */
  probeHeadroom(db: Database, options?: HeadroomOptions): Disposable;
  /** Ends the watch, unless somebody else has enabled it too. May be called twice. */
  disable(): void;
  [Symbol.dispose](): void;
}

/**
 * Watches the pools of this thread, those that are open and those to come: `db.scaling()` and the
 * channel `dal:scaling` say when to scale, and `digests()` where the time goes.
 *
 * A second call joins the first one's watch; it may have no options then, or the same.
 *
 * @throws ConfigError for a wrong option, or `DAL_SCALING_ENABLED` when it is on with other options
 */
export function enableScaling(options: ScalingOptions = {}): Scaling {
  const settings = readScalingOptions(options);
  const given = JSON.stringify(settings);
  if (!current) current = { watch: new ScalingWatch(settings), given, users: 0 };
  else if (Object.keys(options).length > 0 && current.given !== given) {
    throw new ConfigError(
      'Scaling is enabled already, with other options. Give them where it is enabled first, or disable() it before.',
      { kind: 'usage', code: 'DAL_SCALING_ENABLED' },
    );
  }
  return new Handle(current);
}

/**
 * Where the database's time goes: the digests with the most total time first.
 *
 * @throws ConfigError before `enableScaling()`
 */
export function digests(options?: DigestsOptions): Digest[] {
  if (current) return current.watch.digests(options);
  throw new ConfigError(
    'digests() needs a watch: call enableScaling() once at the start of the program.',
    { kind: 'usage', code: 'DAL_SCALING_MISSING' },
  );
}

interface Current {
  readonly watch: ScalingWatch;
  readonly given: string;
  users: number;
}

let current: Current | undefined;

class Handle implements Scaling {
  readonly #used: Current;
  #over = false;

  constructor(used: Current) {
    this.#used = used;
    used.users++;
  }

  advise(pool: ObservedPool): ScalingAdvice {
    return this.#used.watch.advise(pool);
  }

  digests(options?: DigestsOptions): Digest[] {
    return this.#used.watch.digests(options);
  }

  slowQueries(): readonly SlowQuery[] {
    return this.#used.watch.slowQueries();
  }

  probeHeadroom(db: Database, options?: HeadroomOptions): Disposable {
    return this.#used.watch.probeHeadroom(db, options);
  }

  disable(): void {
    if (this.#over) return;
    this.#over = true;
    if (--this.#used.users > 0) return;
    this.#used.watch.stop();
    if (current === this.#used) current = undefined;
  }

  [Symbol.dispose](): void {
    this.disable();
  }
}
