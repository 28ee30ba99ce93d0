import { type DriverConnection, type ServerCapacity, within } from '@dal/core';

/** Why a pool keeps to fewer connections than `max`. */
export interface LimitEvent {
  /** `capacity`: the server said that it has no more for us. `full`: it refused one more. */
  readonly reason: 'capacity' | 'full';
  /** What the pool keeps to. */
  readonly limit: number;
  /** What it was asked for. */
  readonly max: number;
}

export type LimitListener = (event: LimitEvent) => void;

/** A server that is slow to say how many it lets in is not waited for. */
const ASK_TIMEOUT_MS = 1_000;
/** How long the pool keeps to what it had when the server was full; doubled while it stays so. */
const FIRST_HOLD_MS = 1_000;
const LONGEST_HOLD_MS = 60_000;

/** How many sessions the server lets us have, as far as that is known. */
export class ServerLimit {
  /** The most that may be open; Infinity while nothing is known. */
  places: number = Infinity;
  /** What the server said. */
  known: number = Infinity;
  readonly #max: number;
  readonly #listeners = new Set<LimitListener>();
  #asked: boolean;
  #fullUntil = 0;
  #holdMs = FIRST_HOLD_MS;

  /** @param max what the pool was asked for; one of a single session has nothing to ask */
  constructor(max: number) {
    this.#max = max;
    this.#asked = max < 2;
  }

  /** A new session should be asked before it is lent. */
  get isOpen(): boolean {
    return !this.#asked;
  }

  /** @returns what takes the listener away again */
  watch(listener: LimitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Asks the first session. False when it did not answer in time: then an answer is on its way and the
   * session can't be used.
   */
  async ask(connection: DriverConnection): Promise<boolean> {
    this.#asked = true;
    if (connection.capacity === undefined) return true;
    let capacity: ServerCapacity | undefined;
    const asked = connection.capacity().then((answer) => (capacity = answer));
    if ((await within(ASK_TIMEOUT_MS, asked)) === 'late') return false;
    // One that may not be told has no limit that we could keep to.
    if (capacity === undefined || !(capacity.limit < this.#max)) return true;
    this.known = Math.max(1, Math.floor(capacity.limit));
    this.places = Math.min(this.places, this.known);
    this.#tell('capacity');
    return true;
  }

  /** The server had no place for one more beside the `open` ones. */
  full(open: number, now: number): void {
    const isNews = now >= this.#fullUntil;
    this.places = Math.max(1, Math.min(open, isNews ? this.known : this.places));
    if (!isNews) return;
    // Full again after a long while is not full still.
    if (now > this.#fullUntil + this.#holdMs) this.#holdMs = FIRST_HOLD_MS;
    this.#fullUntil = now + this.#holdMs;
    this.#holdMs = Math.min(this.#holdMs * 2, LONGEST_HOLD_MS);
    this.#tell('full');
  }

  /** To be called now and then: what was held for its time is let go. */
  review(now: number): void {
    if (now >= this.#fullUntil) this.places = this.known;
  }

  #tell(reason: LimitEvent['reason']): void {
    const event = { reason, limit: this.places, max: this.#max };
    for (const listener of this.#listeners) listener(event);
  }
}
