import {
  channels,
  type CloseReport,
  type DatabaseStatus,
  type Deadline,
  type Dialect,
  type Driver,
  type LeaseReport,
  type PoolSettings,
  type PoolStats,
  type PoolView,
  readClock,
} from '@dal/core';
import { closedError } from './acquire-errors.ts';
import type { Admission, Refusal } from './admission.ts';
import { LeakWatch, type PoolListener } from './leak-watch.ts';
import { type Lease, longestFirst, reportLease } from './lease.ts';
import { Lender } from './lender.ts';
import { PoolClosing } from './pool-closing.ts';
import { PoolCounts } from './pool-counts.ts';
import { PoolSizing } from './pool-sizing.ts';
import { readStats } from './read-stats.ts';
import { type LimitListener, ServerLimit } from './server-limit.ts';
import { SessionKeeping } from './session-keeping.ts';
import type { Session } from './session.ts';
import { SessionSource } from './session-source.ts';
import { SessionStock } from './session-stock.ts';
import { SilenceWatch } from './silence-watch.ts';
import { Upkeep } from './upkeep.ts';
import { type WatchedPool, watchedPool } from './watched-pool.ts';

export interface PoolParts<Options, Raw> {
  readonly name: string;
  readonly driver: Driver<Options, Raw>;
  readonly options: Options;
  readonly settings: PoolSettings;
  /** Told of leaks. */
  readonly onEvent?: PoolListener;
  /** Stands in front of every attempt to open a session. Default: watches for outages. */
  readonly admission?: Admission;
}

/**
 * Lends sessions, one borrower at a time, first come first served. Sessions that are being opened,
 * checked or closed count too, so the server never sees more than `max` and `overflow`.
 */
export class Pool<Options = unknown, Raw = unknown> implements PoolView {
  readonly name: string;
  readonly settings: PoolSettings;
  /** The pool as those see it who watch from outside. */
  readonly observed: WatchedPool;
  readonly #driver: Driver<Options, Raw>;
  readonly #source: SessionSource<Options, Raw>;
  readonly #counts = new PoolCounts();
  readonly #stock: SessionStock<Options, Raw>;
  readonly #lender: Lender<Raw>;
  readonly #keeping: SessionKeeping<Raw>;
  readonly #leakWatch: LeakWatch<Raw>;
  readonly #upkeep: Upkeep;
  readonly #silence: SilenceWatch<Raw>;
  readonly #serverLimit: ServerLimit;
  readonly #sizing: PoolSizing<Raw>;
  #closing: PoolClosing<Raw> | undefined;
  #closed = false;

  constructor(parts: PoolParts<Options, Raw>) {
    const { name, driver, options, settings, admission, onEvent = ignore } = parts;
    const counts = this.#counts;
    this.name = name;
    this.settings = settings;
    this.#driver = driver;
    this.observed = watchedPool(name, this, driver, options);
    const serverLimit = new ServerLimit(settings.max + settings.overflow);
    this.#serverLimit = serverLimit;
    const source = new SessionSource({
      driver,
      options,
      failFast: settings.failFast,
      retire: (which, reason, atOnce) => this.#keeping.retire(which, reason, atOnce),
      onMove: (from, to) => channels.failover.publish({ pool: this.observed, from, to }),
    });
    this.#source = source;
    const stock = new SessionStock(
      {
        driver: source.driver,
        options,
        settings,
        counts,
        serverLimit,
        admission: admission ?? source.watch,
        observed: this.observed,
      },
      {
        onFree: (session, now) => {
          this.observed.met(session.connection);
          // As long as there is a session, somebody looks after it.
          this.#upkeep.start();
          this.#silence.start();
          this.#lender.pass(session, now);
        },
        onRoom: () => this.#onRoom(),
        onRefused: (error, refusal) => this.#onRefused(error, refusal),
      },
    );
    const { dialect } = driver;
    const lender = new Lender({
      name,
      settings,
      dialect,
      stock,
      counts,
      serverLimit,
      onWait: () => this.#sizing.onWait(),
      onReturn: (lease, now) => this.#onReturn(lease, now),
    });
    this.#stock = stock;
    this.#lender = lender;
    const setTarget = (size: number): number => this.setTarget(size);
    this.#sizing = new PoolSizing({ driver, settings, serverLimit, lender, stock, setTarget });
    this.#keeping = new SessionKeeping(settings, lender, stock);
    this.#leakWatch = new LeakWatch(lender.leases, settings.leakThresholdMs, onEvent);
    this.#silence = new SilenceWatch(source, lender, stock);
    this.#upkeep = new Upkeep(settings, () => this.#lookAfter());
  }

  /**
   * Lends a session until `release` or `discard`. A loan for one `statement` of the layer's own ends
   * with it and can't leak, so no stack is taken for it; one for a `callback` may be waited inside of.
   *
   * @throws AcquireTimeoutError who holds the connections, when none came free in time
   * @throws ConnectionError when the server let nobody in within the time
   * @throws PoolError when the pool is closed or too many wait
   * @throws the driver's own error when a connection could not be opened
   */
  acquire(
    deadline: Deadline,
    purpose?: 'statement' | 'callback',
    now: number = readClock(),
  ): Promise<Lease<Raw>> {
    return this.#lender.acquire(deadline, purpose, now);
  }

  /** A loan for one statement without a wait, or undefined when `acquire` has to be asked. */
  take(now: number): Lease<Raw> | undefined {
    return this.#lender.take(now);
  }

  /** Takes a session back; cleans it first when that is needed, and replaces it when it can't be. */
  release(lease: Lease<Raw>, now: number = readClock()): Promise<void> | undefined {
    return this.#lender.release(lease, now);
  }

  /** Takes a session back only to end it. */
  discard(lease: Lease<Raw>): void {
    this.#lender.discard(lease);
  }

  /**
   * Opens as many sessions as `min` asks for, ahead of need.
   *
   * @throws the driver's own error when one could not be opened
   */
  async warm(deadline: Deadline): Promise<void> {
    if (!this.#closing) await this.#keeping.warm(deadline);
  }

  /**
   * Keeps to fewer sessions than `max` from now on, or to more again. What is idle above it ends, what
   * is lent above it ends when it comes back.
   *
   * @returns the size that is kept: a whole number from `min` (or 1) to `max`
   */
  setTarget(size: number): number {
    const { min, max } = this.settings;
    const target = Math.min(Math.max(Math.round(size), min, 1), max);
    this.#lender.target = target;
    this.#keeping.endSurplus(target, Infinity);
    if (!this.#closing) this.#lender.serve();
    return target;
  }

  /** A refused write leads to another server, when there is one. */
  get seeksPrimary(): boolean {
    return this.#source.seeksPrimary;
  }

  /** A write was refused because the session's server takes none. */
  suspect(session: Session<Raw>): void {
    this.#source.suspect(session.connection);
  }

  /** The session's server does not answer, not even a cancel. */
  mistrust(session: Session<Raw>): void {
    this.#source.mistrust(session.connection);
  }

  /** The session's server, for comparing; undefined when there is only one. */
  homeOf(session: Session<Raw>): object | undefined {
    return this.#source.homeOf(session.connection);
  }

  count(what: 'retries' | 'statementTimeouts'): void {
    this.#counts[what]++;
  }

  stats(): PoolStats {
    const { waiting, target, leases } = this.#lender;
    const { max } = this.#sizing;
    return readStats(leases, this.#stock, this.#counts, { waiting, target, max });
  }

  /**
   * Told when the server has fewer places than `max`.
   *
   * @returns what takes the listener away again
   */
  onLimit(listener: LimitListener): () => void {
    return this.#serverLimit.watch(listener);
  }

  get dialect(): Dialect {
    return this.#driver.dialect;
  }

  get state(): DatabaseStatus['state'] {
    if (this.#closed) return 'closed';
    if (this.#closing) return 'closing';
    return this.#lender.total > 0 ? 'open' : 'idle';
  }

  leaks(): readonly LeaseReport[] {
    return this.#leakWatch.leaks().map(reportLease);
  }

  holders(): readonly LeaseReport[] {
    return longestFirst(this.#lender.leases);
  }

  /** The loans of one of those who share the pool, see `Lease.owner`. */
  loansOf(owner: object): readonly Lease<Raw>[] {
    return [...this.#lender.leases].filter((lease) => lease.owner === owner);
  }

  /**
   * Lends nothing more, waits for what is lent, then stops and rolls back what is left and destroys
   * it; always ends in time. A second call may shorten the time.
   */
  close(timeoutMs: number): Promise<CloseReport> {
    this.#closing?.hurry(timeoutMs);
    this.#closing ??= this.#beginToClose(timeoutMs);
    return this.#closing.done;
  }

  #beginToClose(timeoutMs: number): PoolClosing<Raw> {
    this.#upkeep.stop();
    this.#silence.stop();
    this.#sizing.stop();
    this.#lender.close();
    this.observed.unlist();
    this.#stock.stop(closedError(this.name));
    const closing = new PoolClosing(
      {
        leases: this.#lender.leases,
        stock: this.#stock,
        dialect: this.dialect,
        discard: (lease: Lease<Raw>) => this.discard(lease),
      },
      timeoutMs,
    );
    void closing.done.then(() => (this.#closed = true));
    return closing;
  }

  /** @returns false when nothing is left to look after */
  #lookAfter(): boolean {
    this.#counts.leaked += this.#leakWatch.look();
    this.#keeping.look();
    this.#serverLimit.review(performance.now());
    this.#lender.serve();
    return this.#lender.total > 0 || (this.settings.min > 0 && this.#counts.created > 0);
  }

  /** A session has ended, or attempts to open some are let through again. */
  #onRoom(): void {
    if (this.#closing) return;
    this.#lender.serve();
    // Nothing is opened ahead of the first need.
    if (this.#counts.created > 0) this.#keeping.refill();
  }

  #onRefused(error: unknown, refusal: Refusal): void {
    this.#keeping.pause();
    if (this.#sizing.isFull(error)) {
      this.#upkeep.start();
      return;
    }
    if (refusal === 'tellAll') this.#lender.refuseAll(error);
    else if (refusal === 'tell') this.#lender.refuseFirst(error);
    this.#lender.serve();
  }

  #onReturn(lease: Lease<Raw>, now: number): void {
    if (channels.release.hasSubscribers) {
      channels.release.publish({ pool: this.observed, useMs: now - lease.acquiredAt });
    }
    if (lease.leaked) this.#leakWatch.cameBack(lease);
    if (this.#lender.leases.size === 0) this.#closing?.nobodyHolds();
  }
}

function ignore(): void {
  // Nobody asked to be told.
}
