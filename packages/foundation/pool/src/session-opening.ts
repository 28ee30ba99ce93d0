import {
  channels,
  type ConnectMessage,
  ConnectionError,
  type Driver,
  type Fault,
  onAbort,
  type PoolSettings,
  trace,
} from '@dal/core';
import { type Admission, ADMIT_ALL, type Refusal } from './admission.ts';
import { ConnectAttempt } from './connect-attempt.ts';
import type { PoolCounts } from './pool-counts.ts';
import type { ServerLimit } from './server-limit.ts';
import { destroySession, openSession, type Session } from './session.ts';
import { tellHealth, type WatchedPool } from './watched-pool.ts';

export interface OpeningParts<Options, Raw> {
  readonly driver: Driver<Options, Raw>;
  readonly options: Options;
  readonly settings: PoolSettings;
  readonly counts: PoolCounts;
  readonly admission: Admission | undefined;
  readonly serverLimit: ServerLimit;
  /** The pool as those see it who watch from outside. */
  readonly observed: WatchedPool;
}

export interface OpeningOwner<Raw> {
  /** A session is open. */
  onFree(session: Session<Raw>, now: number): void;
  /** There may be room, or leave, for another session. */
  onRoom(): void;
  /** A session could not be opened, or nothing is heard of an attempt. */
  onRefused(error: unknown, refusal: Refusal): void;
  /** A session has ended by itself. */
  onLost(session: Session<Raw>): void;
  /** Sessions that rest may be dead without having been noticed. */
  onDoubt(): void;
}

/** An attempt is silent when it takes longer than the last one that succeeded, so many times. */
const USUAL_TIMES = 2;
const LONGEST_PATIENCE_MS = 2_000;

/**
 * The sessions that are being opened. An attempt of which nothing is heard stands in nobody's way: the
 * next one may begin beside it, and when all places are taken by such attempts, one is given up for it.
 */
export class SessionOpening<Options, Raw> {
  /** Why the last attempt failed; undefined since one succeeded. */
  lastError: unknown;
  readonly #parts: OpeningParts<Options, Raw>;
  readonly #admission: Admission;
  readonly #owner: OpeningOwner<Raw>;
  /** In the order in which they began. */
  readonly #attempts = new Set<ConnectAttempt>();
  #silentCount = 0;
  /** How long the last attempt took that succeeded. */
  #usualMs = 0;
  /** More than 1 where there is place for one attempt only, which has to be given up for the next. */
  #patience = 1;
  #started = false;
  #stopped: Error | undefined;

  constructor(parts: OpeningParts<Options, Raw>, owner: OpeningOwner<Raw>) {
    this.#parts = parts;
    this.#owner = owner;
    this.#admission = parts.admission ?? ADMIT_ALL;
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** Those that may soon succeed. */
  get expected(): number {
    return this.#attempts.size - this.#silentCount;
  }

  /** How long nothing may be heard of a server that usually answers; `Infinity` where that is not known. */
  get patienceMs(): number {
    const usual = Math.min(this.#usualMs * USUAL_TIMES, LONGEST_PATIENCE_MS);
    return Math.max(this.#admission.patienceMs, usual);
  }

  /**
   * Begins to open a session, unless the admission holds attempts back.
   *
   * @returns resolves to why it could not be opened, or to undefined; never rejects
   */
  open(): Promise<unknown> | undefined {
    if (this.#stopped) return undefined;
    if (!this.#started) {
      this.#started = true;
      this.#parts.observed.list();
      this.#admission.start({
        again: () => this.#owner.onRoom(),
        doubt: () => this.#owner.onDoubt(),
      });
    }
    return this.#admission.admit() ? this.#open() : undefined;
  }

  /**
   * Somebody waits, and there is no place for another attempt: gives up one that is silent, if all are.
   * The first one is let be where there are others, so that a server that is slow, but answers, lets
   * somebody in at last; where it is the only one, its successors have more and more time.
   */
  makeRoom(): void {
    if (this.expected > 0) return;
    const [first, second] = this.#attempts;
    if (!first || first.givenUp || second?.givenUp) return;
    if (!second) this.#patience *= 2;
    (second ?? first).giveUp(new ConnectionError('Given up for another attempt.', SILENT));
  }

  /** Opens nothing more, and gives up what is being opened: nobody waits for it. */
  stop(reason: Error): void {
    this.#stopped = reason;
    this.#admission.stop();
    for (const attempt of this.#attempts) attempt.giveUp(reason);
  }

  async #open(): Promise<unknown> {
    const { counts } = this.#parts;
    const patienceMs = this.patienceMs * this.#patience;
    const attempt = new ConnectAttempt(patienceMs, () => this.#onSilent(attempt));
    this.#attempts.add(attempt);
    let session: Session<Raw>;
    try {
      session = await this.#attempt(attempt.signal);
    } catch (error) {
      this.#end(attempt);
      if (this.#stopped) {
        this.#admission.givenUp();
        return this.#stopped;
      }
      counts.connectErrors++;
      if (attempt.givenUp) {
        // That it failed was told when it became silent.
        this.#admission.givenUp();
        this.#owner.onRoom();
      } else this.#refused(error);
      return error;
    }
    this.#end(attempt);
    counts.created++;
    this.lastError = undefined;
    const now = performance.now();
    this.#usualMs = now - attempt.beganAt;
    this.#patience = 1;
    counts.create.record(this.#usualMs);
    // It has its place first: the next ones are let through by this call.
    this.#owner.onFree(session, now);
    const { away } = this.#admission;
    this.#admission.opened();
    if (away && !this.#admission.away) tellHealth(this.#parts.observed, 'serverBack', undefined);
    this.#giveUpOvertaken(attempt);
    return undefined;
  }

  #end(attempt: ConnectAttempt): void {
    attempt.end();
    this.#attempts.delete(attempt);
    if (!attempt.silent) return;
    this.#silentCount--;
    this.#admission.heard();
  }

  #onSilent({ beganAt }: ConnectAttempt): void {
    this.#silentCount++;
    const silentMs = Math.round(performance.now() - beganAt);
    this.#refused(
      new ConnectionError(`The server has not let us in for ${silentMs} ms, nor refused.`, SILENT),
    );
  }

  /** The server answers again, and faster than those are: they wait for what was lost on the way. */
  #giveUpOvertaken({ beganAt }: ConnectAttempt): void {
    for (const older of this.#attempts) {
      if (!older.silent || older.beganAt + this.#admission.patienceMs > beganAt) continue;
      older.giveUp(new ConnectionError('A later attempt has succeeded.', SILENT));
    }
  }

  #refused(error: unknown): void {
    this.lastError = error;
    const { away } = this.#admission;
    const refusal = this.#admission.failed(error);
    if (!away && this.#admission.away) tellHealth(this.#parts.observed, 'serverAway', error);
    this.#owner.onRefused(error, refusal);
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

  readonly #onLost = (session: Session<Raw>): void => {
    this.#parts.counts.lostConnections++;
    this.#admission.lost(performance.now() - session.openedAt, session.lost as Error);
    this.#owner.onLost(session);
  };
}

const SILENT = {
  code: 'DAL_CONNECTION',
  fault: { kind: 'connection', connectionLost: true, applied: 'no' },
} as const;

function faultOf(driver: Pick<Driver, 'classify'>, error: unknown): Fault {
  try {
    return driver.classify(error);
  } catch {
    // A driver's judge must never throw; where it does, nothing is known.
    return { kind: 'unknown' };
  }
}
