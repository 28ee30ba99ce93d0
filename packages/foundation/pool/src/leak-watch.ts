import type { LeaseReport, LiveList } from '@dal/core';
import { type Lease, reportLease } from './lease.ts';
import { isRunning } from './session.ts';

/** What a pool tells whoever listens. */
export type PoolListener = (name: 'leak' | 'unleaked', lease: LeaseReport) => void;

/**
 * Finds loans that last for too long without a statement, and says so once for each. One on which a
 * statement runs is in use: it is the statement's deadline that has to end it.
 */
export class LeakWatch<Raw> {
  readonly #leases: LiveList<Lease<Raw>>;
  readonly #thresholdMs: number;
  readonly #tell: PoolListener;

  constructor(leases: LiveList<Lease<Raw>>, thresholdMs: number, tell: PoolListener) {
    this.#leases = leases;
    this.#thresholdMs = thresholdMs;
    this.#tell = tell;
  }

  leaks(): Lease<Raw>[] {
    const limit = performance.now() - this.#thresholdMs;
    return [...this.#leases].filter(
      (lease) => lease.lastUsedAt <= limit && !lease.ended && !isRunning(lease.session),
    );
  }

  /** @returns how many were found that were not told of yet */
  look(): number {
    const found = this.leaks().filter((lease) => !lease.leaked);
    for (const lease of found) {
      lease.leaked = true;
      this.#tellOf(lease, 'leak');
    }
    return found.length;
  }

  /** To be called when a loan that was told of has ended. */
  cameBack(lease: Lease<Raw>): void {
    this.#tellOf(lease, 'unleaked');
  }

  #tellOf(lease: Lease<Raw>, name: 'leak' | 'unleaked'): void {
    const tell = lease.owner?.onEvent ?? this.#tell;
    tell(name, reportLease(lease));
  }
}
