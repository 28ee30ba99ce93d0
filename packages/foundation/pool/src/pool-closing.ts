import { type CloseReport, type Dialect, type LeaseReport, type LiveList, within } from '@dal/core';
import { rollBack } from './clean-session.ts';
import { type Lease, longestFirst } from './lease.ts';
import { destroySession, statusOf } from './session.ts';
import type { SessionStock } from './session-stock.ts';
import { giveTurn, takeTurn } from './turns.ts';

export interface ClosingParts<Raw> {
  readonly leases: LiveList<Lease<Raw>>;
  readonly stock: SessionStock<unknown, Raw>;
  readonly dialect: Dialect;
  /** Takes a loan back only to end its session. */
  discard(lease: Lease<Raw>): void;
}

/** The time that is kept for stopping, rolling back and saying goodbye: a quarter, within these. */
const SHORTEST_END_MS = 250;
const LONGEST_END_MS = 1_000;

/** The end of a pool that lends nothing any more: wait, stop and roll back, destroy. */
export class PoolClosing<Raw> {
  readonly done: Promise<CloseReport>;
  readonly #parts: ClosingParts<Raw>;
  readonly #began: number = performance.now();
  #waitUntil = Infinity;
  #closeBy = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #goOn: (() => void) | undefined;

  constructor(parts: ClosingParts<Raw>, timeoutMs: number) {
    this.#parts = parts;
    this.hurry(timeoutMs);
    this.done = this.#run();
  }

  /** Shortens the time; it is never made longer. */
  hurry(timeoutMs: number): void {
    const now = performance.now();
    const endMs = Math.min(Math.max(timeoutMs / 4, SHORTEST_END_MS), LONGEST_END_MS);
    const closeBy = now + Math.max(timeoutMs, endMs);
    if (closeBy >= this.#closeBy) return;
    this.#closeBy = closeBy;
    this.#waitUntil = closeBy - endMs;
    if (this.#goOn) this.#arm(this.#goOn);
  }

  /** To be called when the last loan has ended. */
  nobodyHolds(): void {
    this.#goOn?.();
  }

  async #run(): Promise<CloseReport> {
    const { leases, stock } = this.#parts;
    if (leases.size > 0) await this.#untilReturned();
    const heldOn = await this.#endLoans();
    const cut = await stock.close(this.#closeBy);
    return {
      heldOn,
      destroyed: Math.max(cut, heldOn.length),
      durationMs: Math.round(performance.now() - this.#began),
    };
  }

  async #untilReturned(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
      this.#arm(resolve);
    });
    this.#goOn = undefined;
    clearTimeout(this.#timer);
  }

  #arm(goOn: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(goOn, Math.max(0, this.#waitUntil - performance.now()));
  }

  async #endLoans(): Promise<LeaseReport[]> {
    const { leases, dialect, discard } = this.#parts;
    const left = [...leases];
    const held = left.filter((lease) => !lease.ended);
    const reports = longestFirst(held);
    // Some of the time stays for the goodbyes.
    const graceMs = Math.max(0, (this.#closeBy - performance.now()) * 0.6);
    await Promise.all(held.map((lease) => within(graceMs, undoLoan(lease, dialect))));
    for (const lease of left) {
      if (!lease.ended) discard(lease);
      // Given back, but still being put in order.
      else if (leases.has(lease)) destroySession(lease.session);
    }
    return reports;
  }
}

/**
 * Stops what runs in a session and rolls back what is open there. From now on nothing of its holder's
 * is sent any more, so that a COMMIT that waits for its turn is refused.
 */
export async function undoLoan({ session, lastStatement }: Lease, dialect: Dialect): Promise<void> {
  const { connection } = session;
  if (session.lost) return;
  session.lost = new Error('The database was closed while this connection was lent.');
  if (session.settling) await session.settling;
  // A COMMIT on its way is its holder's own decision, and is let through: stopped, nobody would know.
  else if (session.busy && !/^\s*commit\b/i.test(lastStatement ?? '')) {
    if (!connection.cancel) return;
    await connection.cancel();
  }
  await takeTurn(session);
  try {
    if (statusOf(session) !== 'idle') await rollBack(session, dialect);
  } finally {
    // Whoever waits for the turn learns that the session is lost.
    giveTurn(session);
  }
}
