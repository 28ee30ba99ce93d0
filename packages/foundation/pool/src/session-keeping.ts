import {
  type Deadline,
  type DriverConnection,
  type PoolSettings,
  remainingMs,
  within,
} from '@dal/core';
import { connectTimeoutError } from './acquire-errors.ts';
import type { Lender } from './lender.ts';
import { retireSession } from './session.ts';
import type { SessionStock } from './session-stock.ts';

/** Resting sessions that are asked for a sign of life at the same time, without anybody waiting. */
const MOST_CHECKS = 2;
/** After a failure, sessions that nobody waits for are not opened for this time, or up to twice. */
const PAUSE_MS = 1_000;

/** Keeps the sessions that rest: enough of them, not for too long, and alive. */
export class SessionKeeping<Raw> {
  readonly #settings: PoolSettings;
  readonly #lender: Lender<Raw>;
  readonly #stock: SessionStock<unknown, Raw>;
  #refillAt = 0;

  constructor(settings: PoolSettings, lender: Lender<Raw>, stock: SessionStock<unknown, Raw>) {
    this.#settings = settings;
    this.#lender = lender;
    this.#stock = stock;
  }

  look(): void {
    this.#endOld();
    this.endSurplus(this.#settings.min, performance.now() - this.#settings.idleTimeoutMs);
    this.refill();
    this.#stock.checkSilent(this.#settings.healthCheckIntervalMs, MOST_CHECKS);
  }

  /** Opens what is missing to `min`, unless the last attempt has just failed. */
  refill(): void {
    if (performance.now() >= this.#refillAt) void this.openMissing();
  }

  /** @throws the driver's own error when one of those that are missing to `min` could not be opened */
  async warm(deadline: Deadline): Promise<void> {
    const opened = Promise.all(this.openMissing()).then((errors) => {
      const failed = errors.find((error) => error !== undefined);
      if (failed !== undefined) throw failed as Error;
    });
    if ((await within(remainingMs(deadline), opened)) === 'late') {
      throw connectTimeoutError(this.#lender.scene(), deadline, this.#stock.lastError);
    }
    return opened;
  }

  /** @returns for each session that is being opened: undefined, or why it could not be opened */
  openMissing(): Promise<unknown>[] {
    const opened: Promise<unknown>[] = [];
    const wanted = Math.min(this.#settings.min, this.#lender.limit);
    while (this.#lender.total < wanted) {
      const opening = this.#stock.open();
      if (!opening) break;
      opened.push(opening);
    }
    return opened;
  }

  /** An attempt has failed: the next one that nobody waits for has time. */
  pause(): void {
    this.#refillAt = performance.now() + PAUSE_MS * (1 + Math.random());
  }

  /** Ends what rests since before `restedSince` until `size` sessions are left. */
  endSurplus(size: number, restedSince: number): void {
    const { idle } = this.#stock;
    while (this.#lender.leases.size + idle.length > size) {
      const oldest = idle[0];
      if (!oldest || oldest.idleSince > restedSince) break;
      idle.shift();
      this.#stock.end(oldest);
    }
  }

  /**
   * Sessions of a server that is not the one any more get no statement any more; `atOnce`: what runs there
   * is not waited for either.
   */
  retire(
    which: (connection: DriverConnection<Raw>) => boolean,
    reason: Error,
    atOnce: boolean,
  ): void {
    const { idle } = this.#stock;
    for (const session of idle.filter(({ connection }) => which(connection))) {
      idle.splice(idle.indexOf(session), 1);
      // Its goodbye would wait for a server that may not answer any more.
      session.lost = reason;
      this.#stock.end(session);
    }
    for (const { session } of this.#lender.leases) {
      if (which(session.connection)) retireSession(session, reason, atOnce);
    }
    if (atOnce) this.#stock.cutChecks(which);
  }

  #endOld(): void {
    const { idle } = this.#stock;
    const now = performance.now();
    for (const session of idle.filter(({ expiresAt }) => now >= expiresAt)) {
      idle.splice(idle.indexOf(session), 1);
      this.#stock.recycle(session);
    }
  }
}
