import {
  channels,
  type ConnectMessage,
  type DestroyReason,
  type Driver,
  type Fault,
  type HealthMessage,
  onAbort,
  type PoolSettings,
  trace,
  within,
} from '@dal/core';
import { type Admission, ADMIT_ALL, type Refusal } from './admission.ts';
import { ConnectAttempts } from './connect-attempts.ts';
import type { PoolCounts } from './pool-counts.ts';
import type { ServerLimit } from './server-limit.ts';
import {
  closeSession,
  destroySession,
  openSession,
  pingConnection,
  type Session,
} from './session.ts';
import type { WatchedPool } from './watched-pool.ts';

export interface StockParts<Options, Raw> {
  readonly driver: Driver<Options, Raw>;
  readonly options: Options;
  readonly settings: PoolSettings;
  readonly counts: PoolCounts;
  readonly admission: Admission | undefined;
  readonly serverLimit: ServerLimit;
  /** The pool as those see it who watch from outside. */
  readonly observed: WatchedPool;
}

/** Whom the stock tells when something has changed. */
export interface StockOwner<Raw> {
  /** A session is free; the stock does not have it any more. */
  onFree(session: Session<Raw>, now: number): void;
  /** There may be room, or leave, for another session. */
  onRoom(): void;
  /** A session could not be opened. */
  onRefused(error: unknown, refusal: Refusal): void;
}

/** How long a session may take to give a sign of life before it is replaced. */
const VALIDATE_TIMEOUT_MS = 2_000;

/** The sessions that nobody holds: resting, being opened, checked or ended. */
export class SessionStock<Options, Raw> {
  /** The last one used is lent first; the first in the list has been idle longest. */
  readonly idle: Session<Raw>[] = [];
  /** Why the last attempt to open one failed; undefined since one succeeded. */
  lastError: unknown;
  readonly #parts: StockParts<Options, Raw>;
  readonly #admission: Admission;
  readonly #owner: StockOwner<Raw>;
  readonly #work = new Set<Promise<unknown>>();
  readonly #ending = new Set<Session<Raw>>();
  readonly #asked = new Set<Session<Raw>>();
  readonly #attempts = new ConnectAttempts();
  #opening = 0;
  /** Of those that are asked for a sign of life: not on behalf of a waiter. */
  #aside = 0;
  #started = false;
  #stopped: Error | undefined;
  #closeBy = Infinity;
  #cut = 0;

  constructor(parts: StockParts<Options, Raw>, owner: StockOwner<Raw>) {
    this.#parts = parts;
    this.#owner = owner;
    this.#admission = parts.admission ?? ADMIT_ALL;
  }

  get opening(): number {
    return this.#opening;
  }

  get checking(): number {
    return this.#asked.size;
  }

  get ending(): number {
    return this.#ending.size;
  }

  /** Sessions that a waiter may soon have. */
  get expected(): number {
    return this.#opening + this.#asked.size - this.#aside;
  }

  get size(): number {
    return this.idle.length + this.#opening + this.#asked.size + this.#ending.size;
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
    if (this.#stopped) return undefined;
    if (!this.#started) {
      this.#started = true;
      this.#parts.observed.list();
      this.#admission.start({
        again: () => this.#owner.onRoom(),
        doubt: () => this.checkSilent(0, Infinity),
      });
    }
    if (!this.#admission.admit()) return undefined;
    return this.#track(this.#open());
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
    this.#stopped = reason;
    this.#admission.stop();
    this.#attempts.giveUp(reason);
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

  async #open(): Promise<unknown> {
    const { counts } = this.#parts;
    this.#opening++;
    const began = performance.now();
    let session: Session<Raw>;
    try {
      session = await this.#attempts.run((signal) => this.#attempt(signal));
    } catch (error) {
      this.#opening--;
      if (this.#stopped) {
        this.#admission.givenUp();
        return this.#stopped;
      }
      counts.connectErrors++;
      this.lastError = error;
      const { away } = this.#admission;
      const refusal = this.#admission.failed(error);
      if (!away && this.#admission.away) this.#tellHealth('serverAway', error);
      this.#owner.onRefused(error, refusal);
      return error;
    }
    this.#opening--;
    counts.created++;
    this.lastError = undefined;
    const now = performance.now();
    counts.create.record(now - began);
    // It has its place first: the next ones are let through by this call.
    this.#owner.onFree(session, now);
    const { away } = this.#admission;
    this.#admission.opened();
    if (away && !this.#admission.away) this.#tellHealth('serverBack', undefined);
    return undefined;
  }

  async #attempt(signal: AbortSignal): Promise<Session<Raw>> {
    if (!channels.connect.hasSubscribers) return this.#connect(signal);
    const { observed: pool, driver } = this.#parts;
    const message: ConnectMessage = { pool, startedAt: performance.now() };
    return trace(channels.connect, message, () => this.#connect(signal), {
      resultOf: () => undefined,
      judge: (error) => {
        message.fault = faultOf(driver, error);
        return error;
      },
    });
  }

  async #connect(signal: AbortSignal): Promise<Session<Raw>> {
    const { driver, options, settings, serverLimit } = this.#parts;
    const { maxLifetimeMs } = settings;
    const session = await openSession(driver, options, maxLifetimeMs, this.#onLost, signal);
    if (!serverLimit.isOpen) return session;
    const stopListening = onAbort(signal, () => destroySession(session));
    if (!(await serverLimit.ask(session.connection))) destroySession(session);
    stopListening();
    return session;
  }

  async #check(session: Session<Raw>, done?: () => void): Promise<void> {
    this.#asked.add(session);
    const { driver, counts } = this.#parts;
    const ping = pingConnection(session.connection, driver.dialect);
    const outcome = await within(VALIDATE_TIMEOUT_MS, ping);
    this.#asked.delete(session);
    done?.();
    const now = performance.now();
    if (outcome === 'done') session.provenAt = now;
    else {
      counts.validationErrors++;
      destroySession(session);
      this.#tellHealth('validationFailed', session.lost);
    }
    this.#owner.onFree(session, now);
  }

  #tellHealth(event: HealthMessage['event'], error: unknown): void {
    if (!channels.health.hasSubscribers) return;
    channels.health.publish({ pool: this.#parts.observed, event, error });
  }

  /** Idle sessions whose end was noticed make room at once. */
  readonly #onLost = (session: Session<Raw>): void => {
    this.#parts.counts.lostConnections++;
    this.#admission.lost(performance.now() - session.openedAt, session.lost as Error);
    const place = this.idle.indexOf(session);
    if (place < 0) return;
    this.idle.splice(place, 1);
    this.end(session);
  };

  #track<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
    return work;
  }
}

function faultOf(driver: Pick<Driver, 'classify'>, error: unknown): Fault {
  try {
    return driver.classify(error);
  } catch {
    // A driver's judge must never throw; where it does, nothing is known.
    return { kind: 'unknown' };
  }
}
