import {
  abortError,
  AcquireTimeoutError,
  ConnectionError,
  type Deadline,
  type Driver,
  type LeaseReport,
  PoolError,
  type PoolStats,
  type PoolView,
  remainingMs,
  within,
} from '@dal/core';
import { Pool as Tarn } from 'tarn';
import { cleanSession, isClean } from './clean-session.ts';
import { type Lease, reportLease } from './lease.ts';
import type { PoolSettings } from './pool-options.ts';
import { closeSession, destroySession, openSession, type Session } from './session.ts';

export interface PoolParts<Options, Raw> {
  readonly name: string;
  readonly driver: Driver<Options, Raw>;
  readonly options: Options;
  readonly settings: PoolSettings;
}

/** What tarn is told where the layer's own deadlines decide: the longest time that a timer takes. */
const NEVER_MS = 2_147_483_647;
/** How long an idle session may take to give a sign of life before it is replaced. */
const VALIDATE_TIMEOUT_MS = 2_000;
/** With `sampled`, one loan in so many remembers its stack. */
const STACK_SAMPLE = 32;

/**
 * Lends sessions, one borrower at a time, first come first served; never more than `max`.
 * tarn keeps the books of what is free and what is used; deadlines, bounds, signals, the cleaning
 * of what comes back and the answer to "who holds it" are added here.
 */
export class Pool<Options = unknown, Raw = unknown> implements PoolView {
  readonly name: string;
  readonly settings: PoolSettings;
  readonly #driver: Driver<Options, Raw>;
  readonly #options: Options;
  readonly #tarn: Tarn<Session<Raw>>;
  readonly #leases = new Set<Lease<Raw>>();
  readonly #waiters = new Set<(error: Error) => void>();
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
    this.#tarn = new Tarn<Session<Raw>>({
      min: settings.min,
      max: settings.max,
      create: () => this.#open(),
      // tarn awaits the answer, though its types know only a boolean.
      validate: (session) => this.#validate(session) as boolean,
      destroy: (session) => this.#end(session),
      acquireTimeoutMillis: NEVER_MS,
      // The driver's connect ends by itself and destroys its own socket; a second clock here would
      // leave that socket behind.
      createTimeoutMillis: NEVER_MS,
      idleTimeoutMillis: Math.max(1, settings.idleTimeoutMs),
      reapIntervalMillis: Math.min(1_000, Math.max(10, settings.idleTimeoutMs)),
      createRetryIntervalMillis: 100,
      propagateCreateError: true,
    });
  }

  /**
   * Lends a session until `release` or `discard`.
   *
   * @throws AcquireTimeoutError who holds the connections, when none came free in time
   * @throws PoolError when the pool is closed or too many wait
   */
  acquire(deadline: Deadline): Promise<Lease<Raw>> {
    if (this.#closing) return Promise.reject(this.#closedError());
    if (deadline.signal?.aborted) {
      return Promise.reject(abortError(deadline.signal, 'Acquiring a connection'));
    }
    if (this.#waiters.size >= this.settings.maxWaiting && this.#isExhausted()) {
      return Promise.reject(this.#tooManyWaiting());
    }
    const origin = this.#takeStack();
    return new Promise((resolve, reject) => {
      const pending = this.#tarn.acquire();
      const { signal } = deadline;
      let settled = false;
      const settle = (): void => {
        settled = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiters.delete(fail);
      };
      const fail = (error: Error): void => {
        if (settled) return;
        settle();
        pending.abort();
        reject(error);
      };
      const onAbort = (): void => fail(abortError(signal as AbortSignal, 'Acquiring a connection'));
      const left = remainingMs(deadline);
      const timer =
        left === Infinity
          ? undefined
          : setTimeout(() => fail(this.#timeoutError(deadline)), Math.min(left, NEVER_MS));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(fail);
      pending.promise.then(
        (session) => {
          // Given up in the same moment: nobody would bring the session back.
          if (settled) this.#tarn.release(session);
          else {
            settle();
            resolve(this.#lend(session, origin));
          }
        },
        (error: Error) => fail(error),
      );
    });
  }

  /** Takes a session back; cleans it first when that is needed, and replaces it when it can't be. */
  release(lease: Lease<Raw>): Promise<void> | undefined {
    this.#endLease(lease);
    const { session } = lease;
    if (isClean(session)) {
      this.#giveBack(lease);
      return undefined;
    }
    return cleanSession(session, this.#driver.dialect).then((clean) => {
      if (!clean) destroySession(session);
      this.#giveBack(lease);
    });
  }

  /** Takes a session back only to end it. */
  discard(lease: Lease<Raw>): void {
    this.#endLease(lease);
    destroySession(lease.session);
    this.#giveBack(lease);
  }

  count(what: 'retries' | 'statementTimeouts'): void {
    this.#counts[what]++;
  }

  stats(): PoolStats {
    const lent = this.#leases.size;
    const connecting = this.#tarn.numPendingCreates();
    const idle = this.#tarn.numFree();
    const waiting = this.#waiters.size;
    const { max } = this.settings;
    return { size: lent + idle, idle, lent, waiting, connecting, max, ...this.#counts };
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
    for (const refuse of this.#waiters) refuse(this.#closedError());
    if (this.#leases.size > 0 && timeoutMs > 0) {
      await within(timeoutMs, new Promise<void>((resolve) => (this.#onEmpty = resolve)));
    }
    for (const lease of this.#leases) this.discard(lease);
    // tarn waits for sessions that are just being opened; the time left bounds that too.
    await within(Math.max(100, deadline - performance.now()), this.#tarn.destroy());
  }

  async #open(): Promise<Session<Raw>> {
    try {
      const session = await openSession(
        this.#driver,
        this.#options,
        this.settings.maxLifetimeMs,
        () => this.#counts.lostConnections++,
      );
      this.#counts.created++;
      return session;
    } catch (error) {
      this.#counts.connectErrors++;
      throw error;
    }
  }

  #end(session: Session<Raw>): Promise<void> {
    this.#counts.destroyed++;
    return closeSession(session);
  }

  #validate(session: Session<Raw>): boolean | Promise<boolean> {
    if (session.lost) return false;
    const now = performance.now();
    if (now >= session.expiresAt) return false;
    if (now - session.idleSince < this.settings.validateAfterIdleMs) return true;
    return this.#isAlive(session);
  }

  async #isAlive({ connection }: Session<Raw>): Promise<boolean> {
    const sign = connection.ping
      ? connection.ping()
      : connection.query({ text: this.#driver.dialect.ping, values: [] });
    return (await within(VALIDATE_TIMEOUT_MS, sign)) === 'done';
  }

  #lend(session: Session<Raw>, origin: Error | undefined): Lease<Raw> {
    const now = performance.now();
    const lease: Lease<Raw> = {
      session,
      acquiredAt: now,
      lastUsedAt: now,
      lastStatement: undefined,
      tags: undefined,
      origin,
      ended: false,
    };
    this.#leases.add(lease);
    this.#counts.acquired++;
    return lease;
  }

  #endLease(lease: Lease<Raw>): void {
    if (lease.ended) {
      throw new PoolError('This connection was given back already.', {
        kind: 'usage',
        code: 'DAL_RELEASED_TWICE',
      });
    }
    lease.ended = true;
  }

  #giveBack(lease: Lease<Raw>): void {
    this.#leases.delete(lease);
    this.#counts.released++;
    lease.session.idleSince = performance.now();
    this.#tarn.release(lease.session);
    if (this.#leases.size === 0) this.#onEmpty?.();
  }

  #isExhausted(): boolean {
    return this.#tarn.numFree() === 0 && this.#leases.size >= this.settings.max;
  }

  #takeStack(): Error | undefined {
    const { acquireStacks } = this.settings;
    const wanted =
      acquireStacks === 'always' ||
      (acquireStacks === 'sampled' && this.#counts.acquired % STACK_SAMPLE === 0);
    return wanted ? new Error('acquired') : undefined;
  }

  #closedError(): PoolError {
    return new PoolError(`The database "${this.name}" is closed; nothing can run on it any more.`, {
      kind: 'usage',
      code: 'DAL_CLOSED',
    });
  }

  #tooManyWaiting(): PoolError {
    return new PoolError(
      `No connection on "${this.name}": ${this.#waiters.size} callers wait already, which is the limit. ${this.#situation()}`,
      { kind: 'overloaded', code: 'DAL_POOL_QUEUE_FULL' },
    );
  }

  #timeoutError(deadline: Deadline): Error {
    this.#counts.acquireTimeouts++;
    const { lent, connecting, max } = this.stats();
    const waited = `${Math.round(deadline.timeoutMs)} ms`;
    if (lent < max && connecting > 0) {
      return new ConnectionError(
        `No connection within ${waited} on "${this.name}": the server has not let us in yet (${connecting} connecting, ${lent} of ${max} lent). Check that it is up and reachable.`,
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
