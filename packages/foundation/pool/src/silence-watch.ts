import type { Lender } from './lender.ts';
import { isRunning } from './session.ts';
import type { SessionSource } from './session-source.ts';
import type { SessionStock } from './session-stock.ts';

const LOOK_MS = 100;
/** So long nothing may come from a server from which something is awaited. */
const QUIET_MS = 200;
const SIGHT_MS = 1_000;

/**
 * Notices that the primary is silent, for databases on several servers: a few times a second it looks
 * whether something is awaited, and whether anything came since. Costs the statements nothing, and does
 * not keep the process alive.
 */
export class SilenceWatch<Raw> {
  readonly #source: SessionSource<unknown, Raw>;
  readonly #lender: Lender<Raw>;
  readonly #stock: SessionStock<unknown, Raw>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #heardAt = 0;
  #awaitedSince = Infinity;
  #sawAt = 0;

  constructor(
    source: SessionSource<unknown, Raw>,
    lender: Lender<Raw>,
    stock: SessionStock<unknown, Raw>,
  ) {
    this.#source = source;
    this.#lender = lender;
    this.#stock = stock;
  }

  /** Costs nothing when it runs already, or when there is only one server. */
  start(): void {
    if (this.#timer || this.#stopped || !this.#source.seeksPrimary) return;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    if (this.#lender.total === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#source.rest();
      return;
    }
    const now = performance.now();
    if (now - this.#sawAt >= SIGHT_MS && this.#source.needsSight && this.#stock.checkOne()) {
      this.#sawAt = now;
    }
    const heardAt = this.#isAwaited() ? this.#lastSign() : Infinity;
    if (heardAt === Infinity || heardAt !== this.#heardAt) {
      this.#heardAt = heardAt;
      this.#awaitedSince = now;
      this.#source.trust();
    } else if (now - this.#awaitedSince >= QUIET_MS) this.#source.doubt();
  }

  #isAwaited(): boolean {
    if (this.#stock.checking > 0) return true;
    for (const { session } of this.#lender.leases) if (isRunning(session)) return true;
    return false;
  }

  /** When the primary gave its last sign of life, as far as it left a trace. */
  #lastSign(): number {
    let last = 0;
    for (const { provenAt } of this.#stock.idle) last = Math.max(last, provenAt);
    for (const { session, lastUsedAt, acquiredAt } of this.#lender.leases) {
      last = Math.max(last, session.provenAt);
      // A statement that was given up has left its time there too.
      if (lastUsedAt > acquiredAt && !session.settling && !session.lost) {
        last = Math.max(last, lastUsedAt);
      }
    }
    return last;
  }
}
