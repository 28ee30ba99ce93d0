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
  copyOf,
  MOST_HOLDERS,
  type PoolScene,
  queueFullError,
} from './acquire-errors.ts';
import { cleanSession, isClean } from './clean-session.ts';
import { type Lease, longestFirst, newLease, StackSampler } from './lease.ts';
import { holdsSomething } from './holding.ts';
import { watchNestedWait } from './nested-acquire.ts';
import type { PoolCounts } from './pool-counts.ts';
import { destroySession, type Session } from './session.ts';
import type { ServerLimit } from './server-limit.ts';
import type { SessionStock } from './session-stock.ts';
import { WaitQueue } from './wait-queue.ts';
import { Waiter, type WaiterOwner } from './waiter.ts';

export interface LenderParts<Raw> {
  readonly name: string;
  readonly settings: PoolSettings;
  readonly dialect: Dialect;
  readonly stock: SessionStock<unknown, Raw>;
  readonly counts: PoolCounts;
  readonly serverLimit: ServerLimit;
  /** Somebody is about to wait. */
  onWait(now: number): void;
  /** A loan has ended. */
  onReturn(lease: Lease<Raw>): void;
}

/** Hands sessions out and takes them back: first come, first served. */
export class Lender<Raw> {
  readonly leases: LiveList<Lease<Raw>> = new LiveList();
  /** How many sessions are kept, from `min` to `max`. */
  target: number;
  readonly #parts: LenderParts<Raw>;
  readonly #stock: SessionStock<unknown, Raw>;
  readonly #counts: PoolCounts;
  readonly #queue = new WaitQueue<Raw>();
  readonly #stacks: StackSampler;
  #closed = false;
  /** Where waiters turn to. */
  readonly #giveUp: WaiterOwner<Raw> = {
    onLate: (waiter) => {
      if (this.#queue.delete(waiter)) this.#turnAway(waiter, this.#lateError(waiter.deadline));
    },
    leave: (waiter, error) => this.#leave(waiter, error),
  };

  constructor(parts: LenderParts<Raw>) {
    this.#parts = parts;
    this.#stock = parts.stock;
    this.#counts = parts.counts;
    this.#stacks = new StackSampler(parts.settings.acquireStacks);
    this.target = parts.settings.max;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** All sessions that the server may know of. */
  get total(): number {
    return this.leases.size + this.#stock.size;
  }

  /** Those of them that are not being ended. */
  get kept(): number {
    return this.total - this.#stock.ending;
  }

  acquire(deadline: Deadline, purpose?: 'statement' | 'callback'): Promise<Lease<Raw>> {
    if (this.#closed) return this.#refuse(closedError(this.#parts.name));
    if (deadline.signal?.aborted) {
      return this.#refuse(abortError(deadline.signal, 'Acquiring a connection'));
    }
    const now = performance.now();
    const origin = purpose === 'statement' ? undefined : this.#stacks.take(purpose, now);
    const session = this.#queue.size === 0 ? this.#stock.takeReady(now) : undefined;
    if (session) return Promise.resolve(this.#lend(session, origin, now));
    const places = Math.max(0, this.limit - this.leases.size - this.#stock.ending);
    if (this.#queue.size >= this.#parts.settings.maxWaiting + places) {
      this.#counts.acquireRefused++;
      return this.#refuse(queueFullError(this.scene(undefined, 1)));
    }
    return this.#wait(deadline, origin, now);
  }

  take(now: number): Lease<Raw> | undefined {
    if (this.#queue.size > 0 || this.#closed) return undefined;
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
    const waiter = this.#queue.shift();
    if (waiter) this.#give(waiter, session, now);
    else if (this.kept >= this.target) this.#stock.end(session);
    else this.#stock.rest(session);
  }

  /** Gives waiters what is there, and sees that enough is on its way for the others. */
  serve(now: number = performance.now()): void {
    while (this.#queue.size > 0) {
      const ready = this.#stock.takeReady(now);
      if (ready) this.#give(this.#queue.shift() as Waiter<Raw>, ready, now);
      else if (this.#stock.expected >= this.#queue.size) return;
      else if (this.#stock.checkOne()) continue;
      else if (this.total >= this.limit || !this.#stock.open()) return;
    }
  }

  /** Whoever has waited longest learns why; the others get an attempt of their own. */
  refuseFirst(error: unknown): void {
    const first = this.#queue.shift();
    if (first) this.#turnAway(first, error);
  }

  /** All who wait now learn why; those who come while they are told are not meant. */
  refuseAll(error: unknown): void {
    for (let count = this.#queue.size; count > 0; count--) this.refuseFirst(copyOf(error));
  }

  /** Lends nothing more and sends all waiters away. */
  close(): void {
    this.#closed = true;
    while (this.#queue.size > 0) this.refuseFirst(closedError(this.#parts.name));
  }

  /** What errors tell of the pool. */
  scene(deadline?: Deadline, mostHolders: number = MOST_HOLDERS): PoolScene {
    const late = deadline ? performance.now() - deadline.at : 0;
    return {
      name: this.#parts.name,
      lent: this.leases.size,
      limit: this.limit,
      waiting: this.#queue.size,
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

  #wait(deadline: Deadline, origin: Error | undefined, now: number): Promise<Lease<Raw>> {
    return new Promise((resolve, reject) => {
      const waiter = new Waiter<Raw>(this.#giveUp, deadline, now, origin, resolve, reject);
      if (holdsSomething()) this.#watchNested(waiter);
      this.#queue.push(waiter);
      this.#parts.onWait(now);
      this.serve(now);
    });
  }

  #watchNested(waiter: Waiter<Raw>): void {
    const refuse = (error: Error): void => this.#leave(waiter, error);
    waiter.nested = watchNestedWait(this.leases, this.limit, refuse, this.#parts.name);
  }

  #give(waiter: Waiter<Raw>, session: Session<Raw>, now: number): void {
    this.#counts.wait.record(now - waiter.since);
    waiter.give(this.#lend(session, waiter.origin, now));
  }

  /** Somebody gives up the place in the queue. */
  #leave(waiter: Waiter<Raw>, error: Error): void {
    if (this.#queue.delete(waiter)) this.#turnAway(waiter, error);
  }

  #turnAway(waiter: Waiter<Raw>, error: unknown): void {
    this.#counts.acquireFailures++;
    waiter.refuse(error);
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
    this.#parts.onReturn(lease);
  }

  #lateError(deadline: Deadline): Error {
    const scene = this.scene(deadline);
    const { lastError } = this.#stock;
    if (scene.lent < scene.limit && (scene.connecting > 0 || lastError !== undefined)) {
      return connectTimeoutError(scene, deadline, lastError);
    }
    this.#counts.acquireTimeouts++;
    return acquireTimeoutError(scene, deadline);
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
