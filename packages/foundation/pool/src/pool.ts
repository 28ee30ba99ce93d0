import {
  abortError,
  AcquireTimeoutError,
  ConnectionError,
  type Deadline,
  type Driver,
  type LeaseReport,
  LiveList,
  PoolError,
  type PoolStats,
  type PoolView,
  type StatementCacheStats,
  within,
} from '@dal/core';
import { cleanSession, isClean } from './clean-session.ts';
import { type Lease, reportLease, takeStack } from './lease.ts';
import { watchNestedWait } from './nested-acquire.ts';
import type { PoolSettings } from './pool-options.ts';
import {
  closeSession,
  destroySession,
  openSession,
  pingConnection,
  type Session,
} from './session.ts';
import { Waiter } from './waiter.ts';

export interface PoolParts<Options, Raw> {
  readonly name: string;
  readonly driver: Driver<Options, Raw>;
  readonly options: Options;
  readonly settings: PoolSettings;
}

/** How long an idle session may take to give a sign of life before it is replaced. */
const VALIDATE_TIMEOUT_MS = 2_000;
/** With `sampled`, one loan in so many remembers its stack. */
const STACK_SAMPLE = 32;

/**
 * Lends sessions, one borrower at a time, first come first served. Sessions that are being opened,
 * checked or closed count too, so the server never sees more than `max`.
 */
export class Pool<Options = unknown, Raw = unknown> implements PoolView {
  readonly name: string;
  readonly settings: PoolSettings;
  readonly #driver: Driver<Options, Raw>;
  readonly #options: Options;
  /** The last one used is lent first; the first in the list has been idle longest. */
  readonly #idle: Session<Raw>[] = [];
  readonly #leases = new LiveList<Lease<Raw>>();
  readonly #waiters: Waiter<Raw>[] = [];
  readonly #work = new Set<Promise<void>>();
  #opening = 0;
  #checking = 0;
  #ending = 0;
  #reaper: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;
  readonly #counts = {
    created: 0,
    destroyed: 0,
    acquired: 0,
    released: 0,
    acquireTimeouts: 0,
    connectErrors: 0,
    lostConnections: 0,
    retries: 0,
    statementTimeouts: 0,
  };

  constructor({ name, driver, options, settings }: PoolParts<Options, Raw>) {
    this.name = name;
    this.settings = settings;
    this.#driver = driver;
    this.#options = options;
  }

  /**
   * Lends a session until `release` or `discard`. A loan for one `statement` of the layer's own ends
   * with it and can't leak, so no stack is taken for it; one for a `callback` may be waited inside of.
   *
   * @throws AcquireTimeoutError who holds the connections, when none came free in time
   * @throws PoolError when the pool is closed or too many wait
   * @throws the driver's own error when a connection could not be opened
   */
  acquire(deadline: Deadline, purpose?: 'statement' | 'callback'): Promise<Lease<Raw>> {
    if (this.#closing) return Promise.reject(this.#closedError());
    if (deadline.signal?.aborted) {
      return Promise.reject(abortError(deadline.signal, 'Acquiring a connection'));
    }
    const origin = purpose === 'statement' ? undefined : this.#takeStack(purpose);
    const now = performance.now();
    const session = this.#waiters.length === 0 ? this.#takeReady(now) : undefined;
    if (session) return Promise.resolve(this.#lend(session, origin, now));
    if (this.#waiters.length >= this.settings.maxWaiting && this.#total() >= this.settings.max) {
      return Promise.reject(this.#tooManyWaiting());
    }
    return this.#wait(deadline, origin);
  }

  /** A loan for one statement without a wait, or undefined when `acquire` has to be asked. */
  take(now: number): Lease<Raw> | undefined {
    if (this.#waiters.length > 0 || this.#closing) return undefined;
    const session = this.#takeReady(now);
    return session && this.#lend(session, undefined, now);
  }

  /** Takes a session back; cleans it first when that is needed, and replaces it when it can't be. */
  release(lease: Lease<Raw>, now: number = performance.now()): Promise<void> | undefined {
    endLease(lease);
    const { session } = lease;
    if (isClean(session)) {
      this.#takeBack(lease, now);
      return undefined;
    }
    return cleanSession(session, this.#driver.dialect).then((clean) => {
      if (!clean) destroySession(session);
      this.#takeBack(lease, performance.now());
    });
  }

  /** Takes a session back only to end it. */
  discard(lease: Lease<Raw>): void {
    endLease(lease);
    destroySession(lease.session);
    this.#takeBack(lease, performance.now());
  }

  count(what: 'retries' | 'statementTimeouts'): void {
    this.#counts[what]++;
  }

  stats(): PoolStats {
    return {
      size: this.#leases.size + this.#idle.length + this.#checking,
      idle: this.#idle.length,
      lent: this.#leases.size,
      waiting: this.#waiters.length,
      connecting: this.#opening,
      max: this.settings.max,
      ...this.#counts,
      statements: this.#statements(),
    };
  }

  #statements(): StatementCacheStats {
    const total = { size: 0, capacity: 0, hits: 0, misses: 0, evictions: 0 };
    const lent = [...this.#leases].map((lease) => lease.session);
    for (const { connection } of [...lent, ...this.#idle]) {
      const stats = connection.statements?.();
      if (!stats) continue;
      for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += stats[key];
    }
    return total;
  }

  leaks(): readonly LeaseReport[] {
    const limit = performance.now() - this.settings.leakThresholdMs;
    return [...this.#leases].filter((lease) => lease.lastUsedAt <= limit).map(reportLease);
  }

  /** Everybody who holds a connection now, longest first. */
  holders(): readonly LeaseReport[] {
    return [...this.#leases].map(reportLease).toSorted((a, b) => b.heldMs - a.heldMs);
  }

  /** Lends nothing more, waits for what is lent, then destroys it; always ends in time. */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    clearTimeout(this.#reaper);
    for (const waiter of this.#waiters.splice(0)) waiter.refuse(this.#closedError());
    if (this.#leases.size > 0 && timeoutMs > 0) {
      await within(timeoutMs, new Promise<void>((resolve) => (this.#onEmpty = resolve)));
    }
    for (const lease of this.#leases) {
      // One that was given back and is being cleaned is ended already.
      if (lease.ended) destroySession(lease.session);
      else this.discard(lease);
    }
    for (const session of this.#idle.splice(0)) this.#end(session);
    // What is being opened ends itself when it sees that the pool is closed.
    await within(Math.max(100, deadline - performance.now()), this.#untilQuiet());
  }

  async #untilQuiet(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  /** An idle session that needs no proof of life. Those that are lost or too old end here. */
  #takeReady(now: number): Session<Raw> | undefined {
    for (let session = this.#idle.pop(); session; session = this.#idle.pop()) {
      if (session.lost || now >= session.expiresAt) this.#end(session);
      else if (now - session.idleSince <= this.settings.validateAfterIdleMs) return session;
      else {
        this.#idle.push(session);
        return undefined;
      }
    }
    return undefined;
  }

  #wait(deadline: Deadline, origin: Error | undefined): Promise<Lease<Raw>> {
    return new Promise((resolve, reject) => {
      const waiter = new Waiter<Raw>(
        deadline,
        (session) => {
          waiter.end();
          resolve(this.#lend(session, origin, performance.now()));
        },
        reject,
        this.#onLate,
        this.#leave,
      );
      waiter.nested = watchNestedWait(
        this.#leases,
        this.settings.max,
        (error) => this.#leave(waiter, error),
        this.name,
      );
      this.#waiters.push(waiter);
      this.#serve();
    });
  }

  readonly #onLate = (waiter: Waiter<Raw>): void => {
    this.#leave(waiter, this.#timeoutError(waiter.deadline));
  };

  /** Somebody gives up the place in the queue. */
  readonly #leave = (waiter: Waiter<Raw>, error: Error): void => {
    const place = this.#waiters.indexOf(waiter);
    if (place < 0) return;
    this.#waiters.splice(place, 1);
    waiter.refuse(error);
  };

  /** Gives waiters what is there, and sees that enough is on its way for the others. */
  #serve(): void {
    for (;;) {
      if (this.#waiters.length === 0 || this.#closing) return;
      const ready = this.#takeReady(performance.now());
      if (ready) {
        this.#waiters.shift()?.give(ready);
        continue;
      }
      if (this.#opening + this.#checking >= this.#waiters.length) return;
      const doubtful = this.#idle.pop();
      if (doubtful) this.#track(this.#check(doubtful));
      else if (this.#total() < this.settings.max) this.#track(this.#open());
      else return;
    }
  }

  /** To the one who has waited longest, or to the idle ones. */
  #pass(session: Session<Raw>, now: number): void {
    if (this.#closing || session.lost || now >= session.expiresAt) {
      this.#end(session);
      this.#serve();
      return;
    }
    const waiter = this.#waiters.shift();
    if (waiter) waiter.give(session);
    else {
      session.idleSince = now;
      this.#idle.push(session);
      this.#armReaper();
    }
  }

  async #open(): Promise<void> {
    this.#opening++;
    let session: Session<Raw>;
    try {
      session = await openSession(
        this.#driver,
        this.#options,
        this.settings.maxLifetimeMs,
        (lost) => this.#onLost(lost),
      );
    } catch (error) {
      this.#opening--;
      this.#counts.connectErrors++;
      // Whoever has waited longest learns why; the others get an attempt of their own.
      this.#waiters.shift()?.refuse(error);
      this.#serve();
      return;
    }
    this.#opening--;
    this.#counts.created++;
    this.#pass(session, performance.now());
  }

  /** Asks a session that was idle for a while for a sign of life before it is lent. */
  async #check(session: Session<Raw>): Promise<void> {
    this.#checking++;
    const outcome = await within(
      VALIDATE_TIMEOUT_MS,
      pingConnection(session.connection, this.#driver.dialect),
    );
    this.#checking--;
    if (outcome !== 'done') destroySession(session);
    this.#pass(session, performance.now());
  }

  /** Ends a session; its place is free when the server has let it go. */
  #end(session: Session<Raw>): void {
    this.#counts.destroyed++;
    this.#ending++;
    const ended = closeSession(session).then(() => {
      this.#ending--;
      this.#serve();
    });
    this.#track(ended);
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  /** Idle sessions whose end was noticed make room at once. */
  #onLost(session: Session<Raw>): void {
    this.#counts.lostConnections++;
    const place = this.#idle.indexOf(session);
    if (place < 0) return;
    this.#idle.splice(place, 1);
    this.#end(session);
  }

  #lend(session: Session<Raw>, origin: Error | undefined, now: number): Lease<Raw> {
    const lease: Lease<Raw> = {
      place: -1,
      session,
      acquiredAt: now,
      lastUsedAt: now,
      lastStatement: undefined,
      tags: undefined,
      origin,
      ended: false,
      nestedWaits: 0,
    };
    this.#leases.add(lease);
    this.#counts.acquired++;
    return lease;
  }

  #takeBack(lease: Lease<Raw>, now: number): void {
    this.#leases.delete(lease);
    this.#counts.released++;
    this.#pass(lease.session, now);
    if (this.#leases.size === 0) this.#onEmpty?.();
  }

  #total(): number {
    return this.#leases.size + this.#idle.length + this.#opening + this.#checking + this.#ending;
  }

  /** One timer for the pool, armed while something is idle; it never keeps the process alive. */
  #armReaper(): void {
    if (this.#reaper || this.#idle.length <= this.settings.min) return;
    const oldest = this.#idle[0] as Session<Raw>;
    const due = oldest.idleSince + this.settings.idleTimeoutMs - performance.now();
    this.#reaper = setTimeout(() => this.#reap(), Math.max(10, due));
    this.#reaper.unref();
  }

  #reap(): void {
    this.#reaper = undefined;
    const limit = performance.now() - this.settings.idleTimeoutMs;
    while (this.#leases.size + this.#idle.length > this.settings.min) {
      const oldest = this.#idle[0];
      if (!oldest || oldest.idleSince > limit) break;
      this.#idle.shift();
      this.#end(oldest);
    }
    this.#armReaper();
  }

  #takeStack(purpose: 'callback' | undefined): Error | undefined {
    const { acquireStacks } = this.settings;
    const wanted =
      acquireStacks === 'always' ||
      (acquireStacks === 'sampled' &&
        (purpose === 'callback' || this.#counts.acquired % STACK_SAMPLE === 0));
    return wanted ? takeStack() : undefined;
  }

  #closedError(): PoolError {
    return new PoolError(`The database "${this.name}" is closed; nothing can run on it any more.`, {
      kind: 'usage',
      code: 'DAL_CLOSED',
    });
  }

  #tooManyWaiting(): PoolError {
    return new PoolError(
      `No connection on "${this.name}": ${this.#waiters.length} callers wait already, which is the limit. ${this.#situation()}`,
      { kind: 'overloaded', code: 'DAL_POOL_QUEUE_FULL' },
    );
  }

  #timeoutError(deadline: Deadline): Error {
    this.#counts.acquireTimeouts++;
    const waited = `${Math.round(deadline.timeoutMs)} ms`;
    if (this.#leases.size < this.settings.max && this.#opening > 0) {
      return new ConnectionError(
        `No connection within ${waited} on "${this.name}": the server has not let us in yet (${this.#opening} connecting, ${this.#leases.size} of ${this.settings.max} lent). Check that it is up and reachable.`,
        { kind: 'connection', code: 'DAL_CONNECT_TIMEOUT' },
      );
    }
    return new AcquireTimeoutError(
      `No connection within ${waited} on "${this.name}". ${this.#situation()}`,
      { kind: 'overloaded', code: 'DAL_POOL_TIMEOUT' },
    );
  }

  #situation(): string {
    const { lent, waiting, connecting, max } = this.stats();
    const [oldest] = this.holders();
    const who = oldest
      ? ` The oldest loan is ${oldest.heldMs} ms old${oldest.stack ? `, taken at ${oldest.stack.split('\n')[0]}` : ''}; its last statement: ${oldest.lastStatement ?? 'none yet'}.`
      : '';
    return `${lent} of ${max} lent, ${connecting} connecting, ${waiting} waiting.${who} Give connections back sooner, raise pool.max, or see db.pool.leaks().`;
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
