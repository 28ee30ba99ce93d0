import {
  abortError,
  type Deadline,
  type Dialect,
  LiveList,
  PoolError,
  type PoolSettings,
} from '@dal/core';
import {
  acquireTimeoutError,
  closedError,
  connectTimeoutError,
  MOST_HOLDERS,
  type PoolScene,
  queueFullError,
} from './acquire-errors.ts';
import { cleanSession, isClean } from './clean-session.ts';
import { type Lease, longestFirst, newLease, StackSampler } from './lease.ts';
import type { PoolCounts } from './pool-counts.ts';
import { destroySession, type Session } from './session.ts';
import type { ServerLimit } from './server-limit.ts';
import type { SessionStock } from './session-stock.ts';
import type { Waiter } from './waiter.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface LenderParts<Raw> {
  readonly name: string;
  readonly settings: PoolSettings;
  readonly dialect: Dialect;
  readonly stock: SessionStock<unknown, Raw>;
  readonly counts: PoolCounts;
  readonly serverLimit: ServerLimit;
  /** Somebody waits, and is the first to do so. */
  onWait(): void;
  /** A loan has ended. */
  onReturn(lease: Lease<Raw>, now: number): void;
}

/** Hands sessions out and takes them back: first come, first served. */
export class Lender<Raw> {
  readonly leases: LiveList<Lease<Raw>> = new LiveList();
  /** How many sessions are kept, from `min` to `max`. */
  target: number;
  readonly #parts: LenderParts<Raw>;
  readonly #stock: SessionStock<unknown, Raw>;
  readonly #counts: PoolCounts;
  readonly #room: WaitingRoom<Raw>;
  readonly #stacks: StackSampler;
  #closed = false;
  constructor(parts: LenderParts<Raw>) {
    this.#parts = parts;
    this.#stock = parts.stock;
    this.#counts = parts.counts;
    this.#stacks = new StackSampler(parts.settings.acquireStacks);
    this.target = parts.settings.max;
    this.#room = new WaitingRoom({
      name: parts.name,
      leases: this.leases,
      counts: parts.counts,
      limit: () => this.limit,
      lateError: (deadline) => this.#lateError(deadline),
    });
  }

  get waiting(): number {
    return this.#room.size;
  }

  /** All sessions that the server may know of. */
  get total(): number {
    return this.leases.size + this.#stock.size;
  }

  /** Those of them that are not being ended. */
  get kept(): number {
    return this.total - this.#stock.ending;
  }

  acquire(
    deadline: Deadline,
    purpose: 'statement' | 'callback' | undefined,
    now: number,
  ): Promise<Lease<Raw>> {
    if (this.#closed) return this.#refuse(closedError(this.#parts.name));
    if (deadline.signal?.aborted) {
      return this.#refuse(abortError(deadline.signal, 'Acquiring a connection'));
    }
    const origin = purpose === 'statement' ? undefined : this.#stacks.take(purpose, now);
    const session = this.#room.size === 0 ? this.#stock.takeReady(now) : undefined;
    if (session) return Promise.resolve(this.#lend(session, origin, now));
    if (this.#isFull()) {
      this.#counts.acquireRefused++;
      this.#noteSaturation();
      return this.#refuse(queueFullError(this.scene(undefined, 1)));
    }
    const lent = this.#room.enter(deadline, origin, now);
    this.#parts.serverLimit.review(now);
    if (this.#room.size === 1) this.#parts.onWait();
    this.serve(now);
    return lent;
  }

  take(now: number): Lease<Raw> | undefined {
    if (this.#room.size > 0 || this.#closed) return undefined;
    const session = this.#stock.takeReady(now);
    return session && this.#lend(session, undefined, now);
  }

  release(lease: Lease<Raw>, now: number): Promise<void> | undefined {
    endLease(lease);
    const { session } = lease;
    if (isClean(session)) {
      this.#takeBack(lease, now);
      return undefined;
    }
    return cleanSession(session, this.#parts.dialect).then((clean) => {
      if (!clean) destroySession(session);
      this.#takeBack(lease, performance.now());
    });
  }

  discard(lease: Lease<Raw>): void {
    endLease(lease);
    destroySession(lease.session);
    this.#takeBack(lease, performance.now());
  }

  /** To the one who has waited longest, or to the others that rest; ended when it is of no use. */
  pass(session: Session<Raw>, now: number): void {
    const old = now >= session.expiresAt;
    if (this.#closed || session.lost || old || this.kept >= this.limit) {
      if (old && !session.lost) this.#stock.recycle(session);
      else this.#stock.end(session);
      this.serve();
      return;
    }
    const waiter = this.#room.next();
    if (waiter) this.#give(waiter, session, now);
    else if (this.kept >= this.target) this.#stock.end(session);
    else this.#stock.rest(session);
  }

  /** Gives waiters what is there, and sees that enough is on its way for the others. */
  serve(now: number = performance.now()): void {
    while (this.#room.size > 0) {
      const ready = this.#stock.takeReady(now);
      if (ready) this.#give(this.#room.next() as Waiter<Raw>, ready, now);
      else if (this.#stock.expected >= this.#room.size) return;
      else if (this.#stock.checkOne()) continue;
      else if (this.total >= this.limit) return this.#stock.makeRoom();
      else if (!this.#stock.open()) return;
    }
  }

  /** See `WaitingRoom`. */
  refuseFirst(error: unknown): void {
    this.#room.refuseFirst(error);
  }

  refuseAll(error: unknown): void {
    this.#room.refuseAll(error);
  }

  /** Lends nothing more and sends all waiters away. */
  close(): void {
    this.#closed = true;
    this.#room.close(() => closedError(this.#parts.name));
  }

  /** What errors tell of the pool. */
  scene(deadline?: Deadline, mostHolders: number = MOST_HOLDERS): PoolScene {
    const late = deadline ? performance.now() - deadline.at : 0;
    return {
      name: this.#parts.name,
      lent: this.leases.size,
      limit: this.limit,
      waiting: this.#room.size,
      connecting: this.#stock.opening,
      holders: longestFirst(this.leases, mostHolders),
      eventLoopDelayMs: Math.max(0, Math.round(late)),
    };
  }

  /** How many sessions there may be at this moment: what is kept, and what the server has places for. */
  get limit(): number {
    const { settings, serverLimit } = this.#parts;
    return Math.min(this.target + settings.overflow, serverLimit.places);
  }

  /** Those who will be served at once when there is room do not count as waiting. */
  #isFull(): boolean {
    const { maxWaiting } = this.#parts.settings;
    const { size } = this.#room;
    if (size < maxWaiting) return false;
    return size >= maxWaiting + Math.max(0, this.limit - this.leases.size - this.#stock.ending);
  }

  #give(waiter: Waiter<Raw>, session: Session<Raw>, now: number): void {
    this.#counts.wait.record(now - waiter.since);
    waiter.give(this.#lend(session, waiter.origin, now));
  }

  #refuse(error: Error): Promise<never> {
    this.#counts.acquireFailures++;
    return Promise.reject(error);
  }

  #lend(session: Session<Raw>, origin: Error | undefined, now: number): Lease<Raw> {
    const lease = newLease(session, origin, now);
    this.leases.add(lease);
    const counts = this.#counts;
    counts.acquired++;
    if (this.leases.size > counts.peakLent) counts.peakLent = this.leases.size;
    return lease;
  }

  #takeBack(lease: Lease<Raw>, now: number): void {
    const { session } = lease;
    this.leases.delete(lease);
    this.#counts.released++;
    this.#counts.use.record(now - lease.acquiredAt);
    session.idleSince = now;
    session.provenAt = now;
    this.pass(session, now);
    this.#parts.onReturn(lease, now);
  }

  #lateError(deadline: Deadline): Error {
    const scene = this.scene(deadline);
    const { lastError } = this.#stock;
    if (scene.lent < scene.limit && (scene.connecting > 0 || lastError !== undefined)) {
      return connectTimeoutError(scene, deadline, lastError);
    }
    this.#counts.acquireTimeouts++;
    this.#noteSaturation();
    return acquireTimeoutError(scene, deadline);
  }

  /** Somebody gets nothing: because there are too few connections, or because none can be opened? */
  #noteSaturation(): void {
    if (this.total - this.#stock.opening >= this.limit) this.#counts.acquireSaturated++;
  }
}

function endLease(lease: Lease): void {
  if (lease.ended) {
    throw new PoolError('This connection was given back already.', {
      kind: 'usage',
      code: 'DAL_RELEASED_TWICE',
    });
  }
  lease.ended = true;
}
