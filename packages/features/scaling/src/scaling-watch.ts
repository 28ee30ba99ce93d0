import {
  type AttemptMessage,
  channels,
  type Database,
  type ObservedPool,
  observedPools,
  readClock,
  type ScalingAdvice,
} from '@dal/core';
import { provideScaling } from '@dal/database';
import { Adviser, emptyAdvice } from './adviser.ts';
import type { Digest, DigestsOptions } from './digest.ts';
import { type DigestCounts, DigestTable } from './digest-table.ts';
import { type LoopTime, watchEventLoop } from './event-loop.ts';
import { type HeadroomOptions, HeadroomProbe } from './headroom-probe.ts';
import { Listening } from './listening.ts';
import type { ScalingSettings } from './scaling-options.ts';
import { type SlowQuery, SlowQueries } from './slow-queries.ts';

/** Looks after every pool of this thread. */
export class ScalingWatch {
  readonly #settings: ScalingSettings;
  readonly #loopTime: () => LoopTime;
  readonly #listening = new Listening('Scaling');
  readonly #digests = new DigestTable();
  readonly #slow = new SlowQueries();
  readonly #pools = new Map<ObservedPool, Adviser>();
  readonly #probes = new Map<Database, HeadroomProbe>();
  /** Names of databases whose breaker is open. */
  readonly #broken = new Set<string>();

  constructor(settings: ScalingSettings, loopTime: () => LoopTime = watchEventLoop()) {
    this.#settings = settings;
    this.#loopTime = loopTime;
    const on = this.#listening;
    on.to(channels.attempt.start, (message) => {
      this.#adviserOf(message.database.pool).watch.onAttemptStart(message);
    });
    on.to(channels.attempt.asyncEnd, this.#onAttemptEnd);
    on.to(channels.connect.asyncEnd, (message) => {
      this.#adviserOf(message.pool).watch.onConnect(message);
    });
    on.to(channels.health, ({ pool, event }) => {
      if (event === 'validationFailed') return;
      this.#adviserOf(pool).watch.isAway = event === 'serverAway';
    });
    on.to(channels.circuit, ({ database, to }) => {
      if (to === 'closed') this.#broken.delete(database);
      else if (to === 'open') this.#broken.add(database);
    });
    if (settings.slowQueries) on.to(channels.slowQuery, this.#slow.record);
    const timer = setInterval(() => on.harmlessly(() => this.evaluate()), settings.slotMs);
    timer.unref();
    on.atEnd(() => clearInterval(timer));
    on.atEnd(provideScaling(this));
    this.#meetPools();
  }

  /** Ends the slot and looks at every pool; the timer's business, and that of tests. */
  evaluate(): void {
    const now = readClock();
    const loop = this.#loopTime();
    this.#meetPools();
    for (const [pool, adviser] of this.#pools) {
      if (!observedPools.has(pool)) {
        this.#forget(pool, adviser);
        continue;
      }
      adviser.watch.look(now, loop, this.#digestOf);
      const message = adviser.evaluate({
        headroom: this.#headroomOf(pool),
        instances: this.#settings.instances,
        isBroken: [...adviser.databases].some((name) => this.#broken.has(name)),
      });
      if (message) channels.scaling.publish(message);
    }
  }

  advise(pool: ObservedPool): ScalingAdvice {
    return this.#pools.get(pool)?.advice ?? emptyAdvice(pool);
  }

  digests(options?: DigestsOptions): Digest[] {
    return this.#digests.top(options);
  }

  slowQueries(): SlowQuery[] {
    return this.#slow.read();
  }

  probeHeadroom(db: Database, options?: HeadroomOptions): Disposable {
    this.#probes.get(db)?.[Symbol.dispose]();
    const probe = new HeadroomProbe(db, options);
    this.#probes.set(db, probe);
    return {
      [Symbol.dispose]: () => {
        probe[Symbol.dispose]();
        if (this.#probes.get(db) === probe) this.#probes.delete(db);
      },
    };
  }

  stop(): void {
    this.#listening.stop();
    for (const probe of this.#probes.values()) probe[Symbol.dispose]();
    this.#probes.clear();
  }

  readonly #onAttemptEnd = (message: AttemptMessage): void => {
    const { pool, name } = message.database;
    const adviser = this.#adviserOf(pool);
    adviser.meet(name);
    adviser.watch.onAttemptEnd(message, this.#digests.record(message));
  };

  readonly #digestOf = (message: AttemptMessage): DigestCounts => this.#digests.countsOf(message);

  #adviserOf(pool: ObservedPool): Adviser {
    let adviser = this.#pools.get(pool);
    if (!adviser) {
      adviser = new Adviser(pool, this.#settings.slotMs, readClock());
      this.#pools.set(pool, adviser);
    }
    return adviser;
  }

  #meetPools(): void {
    for (const pool of observedPools) this.#adviserOf(pool);
  }

  #headroomOf(pool: ObservedPool): HeadroomProbe['headroom'] {
    for (const [db, probe] of this.#probes) if (db.observed.pool === pool) return probe.headroom;
    return undefined;
  }

  /** The pool was closed. */
  #forget(pool: ObservedPool, { databases }: Adviser): void {
    this.#pools.delete(pool);
    for (const name of databases) this.#broken.delete(name);
    for (const [db, probe] of this.#probes) {
      if (db.observed.pool !== pool) continue;
      probe[Symbol.dispose]();
      this.#probes.delete(db);
    }
  }
}
