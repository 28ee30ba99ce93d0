import {
  type CloseReport,
  type DatabaseStatus,
  type Deadline,
  type LeaseReport,
  type PoolSettings,
  type PoolStats,
  within,
} from '@dal/core';
import { closedError } from './acquire-errors.ts';
import type { PoolListener } from './leak-watch.ts';
import { type Lease, reportLease } from './lease.ts';
import type { Pool } from './pool.ts';
import type { LimitListener } from './server-limit.ts';
import { undoLoan } from './pool-closing.ts';
import type { Session } from './session.ts';

/** What a database needs of its pool, whether it has it for itself or shares it. */
export type LendingPool = { readonly [Member in keyof Pool]: Pool[Member] };

export interface PoolShareParts {
  readonly name: string;
  readonly pool: Pool;
  /** Told of the leaks of this share. */
  readonly onEvent: PoolListener;
  /** This share has ended. True: it was the last one, and the pool is to be closed. */
  leave(): boolean;
}

/** The time that is kept for stopping and rolling back: a quarter, within these. */
const SHORTEST_END_MS = 250;
const LONGEST_END_MS = 1_000;

/**
 * One database's part of a pool that several share. Closing it ends what this database borrowed, and
 * nothing of the others; the pool is closed with the last one.
 */
export class PoolShare implements LendingPool {
  readonly name: string;
  readonly onEvent: PoolListener;
  readonly #pool: Pool;
  readonly #leave: () => boolean;
  /** Those of this share who wait for a loan. */
  readonly #asking = new Set<(error: Error) => void>();
  #closing: Promise<CloseReport> | undefined;
  #closed = false;
  /** Set while a close waits for loans: called when one has come back, or the time was shortened. */
  #wake: (() => void) | undefined;
  #closeBy = Infinity;

  constructor({ name, pool, onEvent, leave }: PoolShareParts) {
    this.name = name;
    this.onEvent = onEvent;
    this.#pool = pool;
    this.#leave = leave;
  }

  get settings(): PoolSettings {
    return this.#pool.settings;
  }

  get dialect(): Pool['dialect'] {
    return this.#pool.dialect;
  }

  get state(): DatabaseStatus['state'] {
    if (this.#closed) return 'closed';
    return this.#closing ? 'closing' : this.#pool.state;
  }

  get observed(): Pool['observed'] {
    return this.#pool.observed;
  }

  get seeksPrimary(): boolean {
    return this.#pool.seeksPrimary;
  }

  suspect(session: Session): void {
    this.#pool.suspect(session);
  }

  mistrust(session: Session): void {
    this.#pool.mistrust(session);
  }

  homeOf(session: Session): object | undefined {
    return this.#pool.homeOf(session);
  }

  acquire(deadline: Deadline, purpose?: 'statement' | 'callback', now?: number): Promise<Lease> {
    if (this.#closing) return Promise.reject(closedError(this.name));
    const asked = this.#pool.acquire(deadline, purpose, now);
    return new Promise((resolve, reject) => {
      this.#asking.add(reject);
      asked.then(
        (lease) => {
          this.#asking.delete(reject);
          // It was told that the database is closed, and does not take it any more.
          if (this.#closing) void this.#pool.release(lease);
          else {
            lease.owner = this;
            resolve(lease);
          }
        },
        (error: Error) => {
          this.#asking.delete(reject);
          reject(error);
        },
      );
    });
  }

  take(now: number): Lease | undefined {
    if (this.#closing) return undefined;
    const lease = this.#pool.take(now);
    if (lease) lease.owner = this;
    return lease;
  }

  release(lease: Lease, now?: number): Promise<void> | undefined {
    const cleaned = this.#pool.release(lease, now);
    if (cleaned === undefined) this.#wake?.();
    // A close that begins while it is put in order waits for it.
    else void cleaned.then(() => this.#wake?.());
    return cleaned;
  }

  discard(lease: Lease): void {
    this.#pool.discard(lease);
    this.#wake?.();
  }

  warm(deadline: Deadline): Promise<void> {
    return this.#closing ? Promise.reject(closedError(this.name)) : this.#pool.warm(deadline);
  }

  setTarget(size: number): number {
    return this.#pool.setTarget(size);
  }

  count(what: 'retries' | 'statementTimeouts'): void {
    this.#pool.count(what);
  }

  /** Of the whole pool. */
  stats(): PoolStats {
    return this.#pool.stats();
  }

  leaks(): readonly LeaseReport[] {
    return this.#pool.leaks();
  }

  holders(): readonly LeaseReport[] {
    return this.#pool.holders();
  }

  onLimit(listener: LimitListener): () => void {
    return this.#pool.onLimit(listener);
  }

  loansOf(owner: object): readonly Lease[] {
    return this.#pool.loansOf(owner);
  }

  close(timeoutMs: number): Promise<CloseReport> {
    this.#closeBy = Math.min(this.#closeBy, performance.now() + timeoutMs);
    this.#wake?.();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<CloseReport> {
    const began = performance.now();
    for (const reject of this.#asking) reject(closedError(this.name));
    this.#asking.clear();
    await this.#untilReturned();
    const heldOn = await this.#endLoans();
    // Left when nothing of this share is lent, so that whoever closes the pool cuts nobody off.
    const isLast = this.#leave();
    const rest = isLast
      ? await this.#pool.close(Math.max(0, this.#closeBy - performance.now()))
      : undefined;
    this.#closed = true;
    return {
      heldOn: [...heldOn, ...(rest?.heldOn ?? [])],
      destroyed: heldOn.length + (rest?.destroyed ?? 0),
      durationMs: Math.round(performance.now() - began),
    };
  }

  async #untilReturned(): Promise<void> {
    const endMs = Math.min(
      Math.max((this.#closeBy - performance.now()) / 4, SHORTEST_END_MS),
      LONGEST_END_MS,
    );
    for (;;) {
      const waitMs = this.#closeBy - endMs - performance.now();
      if (waitMs <= 0 || this.loansOf(this).length === 0) break;
      await within(waitMs, new Promise<void>((resolve) => (this.#wake = resolve)));
    }
    this.#wake = undefined;
  }

  async #endLoans(): Promise<LeaseReport[]> {
    const held = this.loansOf(this).filter((lease) => !lease.ended);
    const reports = held.map(reportLease).toSorted((a, b) => b.heldMs - a.heldMs);
    const graceMs = Math.max(SHORTEST_END_MS, this.#closeBy - performance.now()) * 0.6;
    await Promise.all(held.map((lease) => within(graceMs, undoLoan(lease, this.#pool.dialect))));
    for (const lease of held) if (!lease.ended) this.#pool.discard(lease);
    return reports;
  }
}
