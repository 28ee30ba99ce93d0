// The states of a breaker. No timer: time is looked at when somebody asks, so that nothing has to be
// closed and a call through a closed breaker costs next to nothing.
import { type CircuitOpenError, ConfigError } from '@dal/core';
import { callOutcome } from './call-outcome.ts';
import {
  type CircuitBreakerOptions,
  type CircuitBreakerSettings,
  readCircuitBreakerOptions,
  refuseOtherOptions,
} from './circuit-breaker-options.ts';
import { circuitOpenError } from './circuit-open-error.ts';
import { FailureWindow } from './failure-window.ts';
import { harmlessly } from './harmlessly.ts';
import { answersLater, isThenable } from './wrap-function.ts';

export type CircuitState = 'closed' | 'open' | 'halfOpen';

export interface CircuitStateChange {
  readonly name: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
}

/** Names are meant to be few and fixed; one for each user or request would only fill memory. */
const MAX_NAMES = 1_000;
const MAX_LISTENERS = 100;
/** Not a ticket: no call was let through. */
const REFUSED = -1;

/**
 * Stops calling what does not answer. `failureThreshold` failures within `windowMs` open it; after
 * `recoveryTimeoutMs` it is half open and lets `halfOpenMaxCalls` calls through on trial. When all of
 * them work it closes, when one fails it opens again. A trial call that is never heard of again
 * gives its place to another after `recoveryTimeoutMs`.
 */
export class CircuitBreaker {
  static readonly #byName = new Map<string, CircuitBreaker>();

  readonly name: string;
  readonly #settings: CircuitBreakerSettings;
  readonly #window: FailureWindow;
  readonly #listeners = new Set<(change: CircuitStateChange) => void>();
  #state: CircuitState = 'closed';
  /** Changes with the state. What began in an earlier round says nothing about this one. */
  #round = 0;
  /** When it left `closed`, and when it opened last. */
  #brokenSince = 0;
  #openedAt = 0;
  #lastFailure: unknown;
  /** Of this half-open time: trial calls let through, when the last one was, and how many worked. */
  #granted = 0;
  #grantedAt = 0;
  #passed = 0;

  /**
   * The breaker of that name, which is made when there is none yet.
   *
   * @throws ConfigError when it exists with other numbers, or when there are 1,000 names already
   */
  static get(name: string, options: CircuitBreakerOptions = {}): CircuitBreaker {
    const known = CircuitBreaker.#byName.get(name);
    if (known !== undefined) {
      refuseOtherOptions(name, known.#settings, options);
      return known;
    }
    if (CircuitBreaker.#byName.size >= MAX_NAMES) {
      throw new ConfigError(
        `There are ${MAX_NAMES} circuit breakers already. Names are meant to be few; use forget(name) for those that are over, or new CircuitBreaker(name) for one that is not kept.`,
        { kind: 'usage', code: 'DAL_CIRCUIT_TOO_MANY' },
      );
    }
    const made = new CircuitBreaker(name, options);
    CircuitBreaker.#byName.set(name, made);
    return made;
  }

  /** The same as `get`. */
  static getOrCreate(name: string, options: CircuitBreakerOptions = {}): CircuitBreaker {
    return CircuitBreaker.get(name, options);
  }

  /** Takes a name out of the list; who has the breaker keeps it. False when there was none. */
  static forget(name: string): boolean {
    return CircuitBreaker.#byName.delete(name);
  }

  /**
   * A breaker of one's own, which `get` does not know.
   *
   * @throws ConfigError
   */
  constructor(name: string, options: CircuitBreakerOptions = {}) {
    if (typeof name !== 'string' || name === '' || name.length > 200) {
      throw new ConfigError(
        'The name of a circuit breaker must be a text of 1 to 200 characters.',
        {
          kind: 'usage',
          code: 'DAL_CONFIG_VALUE',
        },
      );
    }
    this.name = name;
    this.#settings = readCircuitBreakerOptions(options);
    this.#window = new FailureWindow(this.#settings.failureThreshold, this.#settings.windowMs);
  }

  get state(): CircuitState {
    if (this.#state === 'open') this.#tryHalfOpen(this.#settings.now());
    return this.#state;
  }

  /** How long until the next call may be let through; 0 when it may be now. */
  get retryAfterMs(): number {
    if (this.#state === 'closed') return 0;
    const now = this.#settings.now();
    const { recoveryTimeoutMs, halfOpenMaxCalls } = this.#settings;
    if (this.#state === 'open') return Math.max(0, this.#openedAt + recoveryTimeoutMs - now);
    if (this.#granted < halfOpenMaxCalls) return 0;
    return Math.max(0, this.#grantedAt + recoveryTimeoutMs - now);
  }

  /**
   * Calls a function when the breaker lets it, and notes what came of it. Answers what it answers.
   *
   * @throws CircuitOpenError at once, or as a rejection when `fn` is an async function
   */
  run<T>(fn: () => T): T {
    const ticket = this.#admit();
    if (ticket === REFUSED) {
      const error = this.openError();
      if (answersLater(fn)) return Promise.reject(error) as T;
      throw error;
    }
    let result: T;
    try {
      result = fn();
    } catch (error) {
      this.#settle(ticket, error);
      throw error;
    }
    if (!isThenable(result)) {
      this.#succeed(ticket);
      return result;
    }
    return result.then(
      (value) => {
        this.#succeed(ticket);
        return value;
      },
      (error: unknown) => {
        this.#settle(ticket, error);
        throw error;
      },
    ) as T;
  }

  /**
   * May a call be made now? Whoever gets `true` reports with `recordSuccess`, `recordFailure` or
   * `recordError` how it went; `run` does all of this by itself.
   */
  allowRequest(): boolean {
    return this.#admit() !== REFUSED;
  }

  recordSuccess(): void {
    this.#succeed(this.#round);
  }

  /** Counts a failure, whatever the error. */
  recordFailure(error?: unknown): void {
    this.#fail(this.#round, error);
  }

  /** Judges an error as `run` does: most errors of a server that answers are no failure. */
  recordError(error: unknown): void {
    this.#settle(this.#round, error);
  }

  /** Closes the breaker and forgets all failures; calls that are under way don't count any more. */
  reset(): void {
    this.#close();
  }

  /**
   * Tells a listener of every change of state. Half open is noticed by the first one who asks.
   *
   * @returns what takes the listener away again
   */
  onStateChange(listener: (change: CircuitStateChange) => void): () => void {
    if (this.#listeners.size >= MAX_LISTENERS) {
      throw new ConfigError(
        `The circuit breaker "${this.name}" has ${MAX_LISTENERS} listeners. Take them away when they are done with: onStateChange answers how.`,
        { kind: 'usage', code: 'DAL_CIRCUIT_LISTENERS' },
      );
    }
    // Of its own, so that the same function can listen twice and leave once.
    const own = (change: CircuitStateChange): void => listener(change);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** The error for a call that is not let through; its cause is the last failure. */
  openError(): CircuitOpenError {
    return circuitOpenError({
      ...this.#settings,
      name: this.name,
      isHalfOpen: this.#state === 'halfOpen',
      agoMs: Math.max(0, this.#settings.now() - this.#brokenSince),
      retryAfterMs: this.retryAfterMs,
      lastFailure: this.#lastFailure,
    });
  }

  /** A ticket for one call, or REFUSED. */
  #admit(): number {
    if (this.#state === 'closed') return this.#round;
    const now = this.#settings.now();
    if (this.#state === 'open' && !this.#tryHalfOpen(now)) return REFUSED;
    const { halfOpenMaxCalls, recoveryTimeoutMs } = this.#settings;
    if (this.#granted >= halfOpenMaxCalls) {
      if (now - this.#grantedAt < recoveryTimeoutMs) return REFUSED;
      // Nothing was heard of them for so long: their places are free, and their reports too late.
      this.#granted = this.#passed;
      this.#round++;
    }
    this.#granted++;
    this.#grantedAt = now;
    return this.#round;
  }

  #tryHalfOpen(now: number): boolean {
    if (now - this.#openedAt < this.#settings.recoveryTimeoutMs) return false;
    this.#granted = 0;
    this.#passed = 0;
    this.#become('halfOpen');
    return true;
  }

  #settle(ticket: number, error: unknown): void {
    const { failOn } = this.#settings;
    const judged = callOutcome(error);
    const isFailure = failOn === undefined ? judged === 'failure' : failOn(error);
    if (isFailure) this.#fail(ticket, error);
    else if (judged === 'success') this.#succeed(ticket);
    else if (this.#isOnTrial(ticket)) this.#granted--;
  }

  #succeed(ticket: number): void {
    if (!this.#isOnTrial(ticket)) return;
    this.#passed++;
    if (this.#passed >= this.#settings.halfOpenMaxCalls) this.#close();
  }

  #fail(ticket: number, error: unknown): void {
    if (ticket !== this.#round) return;
    const now = this.#settings.now();
    if (this.#state === 'closed') {
      if (!this.#window.add(now)) return;
      this.#brokenSince = now;
    } else if (!this.#isOnTrial(ticket)) {
      return;
    }
    this.#lastFailure = error;
    this.#openedAt = now;
    this.#become('open');
  }

  /** Whether a report is one of a trial call that is still waited for. */
  #isOnTrial(ticket: number): boolean {
    return this.#state === 'halfOpen' && ticket === this.#round && this.#granted > this.#passed;
  }

  #close(): void {
    this.#window.clear();
    this.#lastFailure = undefined;
    this.#become('closed');
  }

  #become(to: CircuitState): void {
    const from = this.#state;
    this.#state = to;
    this.#round++;
    if (from === to) return;
    for (const listener of this.#listeners) {
      harmlessly('A listener of onStateChange', () => listener({ name: this.name, from, to }));
    }
  }
}
