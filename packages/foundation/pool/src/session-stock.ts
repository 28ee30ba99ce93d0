import { channels, type DestroyReason, within } from '@dal/core';
import type { Refusal } from './admission.ts';
import { closeSession, destroySession, pingConnection, type Session } from './session.ts';
import { type OpeningParts, SessionOpening } from './session-opening.ts';
import { tellHealth } from './watched-pool.ts';

/** Whom the stock tells when something has changed. */
export interface StockOwner<Raw> {
  /** A session is free; the stock does not have it any more. */
  onFree(session: Session<Raw>, now: number): void;
  /** There may be room, or leave, for another session. */
  onRoom(): void;
  /** A session could not be opened. */
  onRefused(error: unknown, refusal: Refusal): void;
}

/** How long a session may take at most to give a sign of life before it is replaced. */
const VALIDATE_TIMEOUT_MS = 2_000;

/** The sessions that nobody holds: resting, being opened, checked or ended. */
export class SessionStock<Options, Raw> {
  /** The last one used is lent first; the first in the list has been idle longest. */
  readonly idle: Session<Raw>[] = [];
  readonly #parts: OpeningParts<Options, Raw>;
  readonly #opening: SessionOpening<Options, Raw>;
  readonly #owner: StockOwner<Raw>;
  readonly #work = new Set<Promise<unknown>>();
  readonly #ending = new Set<Session<Raw>>();
  readonly #asked = new Set<Session<Raw>>();
  /** Of those that are asked for a sign of life: not on behalf of a waiter. */
  #aside = 0;
  #closeBy = Infinity;
  #cut = 0;

  constructor(parts: OpeningParts<Options, Raw>, owner: StockOwner<Raw>) {
    this.#parts = parts;
    this.#owner = owner;
    this.#opening = new SessionOpening(parts, {
      onFree: (session, now) => owner.onFree(session, now),
      onRoom: () => owner.onRoom(),
      onRefused: (error, refusal) => owner.onRefused(error, refusal),
      onLost: (session) => this.#onLost(session),
      onDoubt: () => this.checkSilent(0, Infinity),
    });
  }

  /** Why the last attempt to open one failed; undefined since one succeeded. */
  get lastError(): unknown {
    return this.#opening.lastError;
  }

  get opening(): number {
    return this.#opening.size;
  }

  get checking(): number {
    return this.#asked.size;
  }

  get ending(): number {
    return this.#ending.size;
  }

  /** Sessions that a waiter may soon have. */
  get expected(): number {
    return this.#opening.expected + this.#asked.size - this.#aside;
  }

  get size(): number {
    return this.idle.length + this.#opening.size + this.#asked.size + this.#ending.size;
  }

  /** An idle session that needs no proof of life. Those that are lost or too old end here. */
  takeReady(now: number): Session<Raw> | undefined {
    const { idle } = this;
    for (let session = idle.pop(); session; session = idle.pop()) {
      if (session.lost) this.end(session);
      else if (now >= session.expiresAt) this.recycle(session);
      else if (now - session.provenAt < this.#parts.settings.validate.afterIdleMs) return session;
      else {
        idle.push(session);
        return undefined;
      }
    }
    return undefined;
  }

  /** Puts a session to the others that rest; the one that has rested longest stays the first. */
  rest(session: Session<Raw>): void {
    const { idle } = this;
    let place = idle.length;
    while (place > 0 && (idle[place - 1] as Session<Raw>).idleSince > session.idleSince) place--;
    if (place === idle.length) idle.push(session);
    else idle.splice(place, 0, session);
  }

  /** Begins to open a session, unless the admission holds attempts back. */
  open(): Promise<unknown> | undefined {
    const opening = this.#opening.open();
    return opening && this.#track(opening);
  }

  /** Somebody waits, and there is no place left to open a session. */
  makeRoom(): void {
    this.#opening.makeRoom();
  }

  /** Asks the session that was used last for a sign of life. False when none rests. */
  checkOne(): boolean {
    const session = this.idle.pop();
    if (session) void this.#track(this.#check(session));
    return session !== undefined;
  }

  /** Asks sessions that were silent for so long for a sign of life, a few at a time. */
  checkSilent(silentMs: number, most: number): void {
    const limit = performance.now() - silentMs;
    for (let place = 0; place < this.idle.length && this.#aside < most;) {
      const session = this.idle[place] as Session<Raw>;
      if (session.provenAt > limit) {
        place++;
        continue;
      }
      this.idle.splice(place, 1);
      this.#aside++;
      void this.#track(this.#check(session, () => this.#aside--));
    }
  }

  /** Waits no longer for the sign of life of these. */
  cutChecks(which: (connection: Session<Raw>['connection']) => boolean): void {
    for (const session of this.#asked) if (which(session.connection)) destroySession(session);
  }

  /** Ends a session; its place is free when the server has let it go. */
  end(session: Session<Raw>, reason: DestroyReason = 'surplus'): void {
    const { counts, observed: pool } = this.#parts;
    counts.destroyed++;
    if (channels.destroy.hasSubscribers) {
      channels.destroy.publish({ pool, reason: session.lost ? 'lost' : reason });
    }
    this.#ending.add(session);
    const graceMs = Math.min(2_000, Math.max(0, this.#closeBy - performance.now()));
    const ended = closeSession(session, graceMs).then((polite) => {
      if (!polite) this.#cut++;
      this.#ending.delete(session);
      this.#owner.onRoom();
    });
    void this.#track(ended);
  }

  /** Ends a session whose time is over. */
  recycle(session: Session<Raw>): void {
    this.#parts.counts.recycled++;
    this.end(session, 'expired');
  }

  /** Opens nothing more, and gives up what is being opened: nobody waits for it. */
  stop(reason: Error): void {
    this.#opening.stop(reason);
  }

  /**
   * Ends all that rest, and waits for whatever is under way, but no longer than until `closeBy`.
   *
   * @returns how many had to be ended without a goodbye
   */
  async close(closeBy: number): Promise<number> {
    this.#closeBy = closeBy;
    this.#cut = 0;
    for (const session of this.idle.splice(0)) this.end(session, 'closing');
    await within(Math.max(0, closeBy - performance.now()), this.#untilQuiet());
    // Those that were asked for something before the pool was closed may take longer than there is.
    const left = [...this.#ending, ...this.#asked];
    for (const session of left) destroySession(session);
    return this.#cut + left.length;
  }

  async #untilQuiet(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async #check(session: Session<Raw>, done?: () => void): Promise<void> {
    this.#asked.add(session);
    const { driver, counts } = this.#parts;
    const ping = pingConnection(session.connection, driver.dialect);
    const limitMs = Math.min(VALIDATE_TIMEOUT_MS, this.#opening.patienceMs);
    let outcome = await within(limitMs, ping);
    // It may have come while the program did something else, and not have been read yet.
    if (outcome === 'late') outcome = await within(1, ping);
    this.#asked.delete(session);
    done?.();
    const now = performance.now();
    if (outcome === 'done') session.provenAt = now;
    else {
      counts.validationErrors++;
      destroySession(session);
      tellHealth(this.#parts.observed, 'validationFailed', session.lost);
    }
    this.#owner.onFree(session, now);
  }

  /** Idle sessions whose end was noticed make room at once. */
  #onLost(session: Session<Raw>): void {
    const place = this.idle.indexOf(session);
    if (place < 0) return;
    this.idle.splice(place, 1);
    this.end(session);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
    return work;
  }
}
