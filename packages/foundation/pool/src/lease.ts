import type { LeaseReport, Placed } from '@dal/core';
import type { PoolListener } from './leak-watch.ts';
import { isRunning, type Session } from './session.ts';

/** One of several who share a pool; is told of its own leaks. */
export interface LoanOwner {
  readonly onEvent: PoolListener;
}

/** One loan of a session, from `acquire` to `release`. */
export interface Lease<Raw = unknown> extends Placed {
  readonly session: Session<Raw>;
  readonly acquiredAt: number;
  lastUsedAt: number;
  lastStatement: string | undefined;
  tags: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Holds the place in the code that took the loan; its text is made only when it is read. */
  origin: Error | undefined;
  ended: boolean;
  /** Who of several that share the pool has it; undefined when nobody shares. */
  owner: LoanOwner | undefined;
  /** It was reported as a leak. */
  leaked: boolean;
  /** How often its holder waits for another session of the same pool. */
  nestedWaits: number;
}

export function newLease<Raw>(
  session: Session<Raw>,
  origin: Error | undefined,
  now: number,
): Lease<Raw> {
  return {
    place: -1,
    session,
    acquiredAt: now,
    lastUsedAt: now,
    lastStatement: undefined,
    tags: undefined,
    origin,
    ended: false,
    owner: undefined,
    leaked: false,
    nestedWaits: 0,
  };
}

/** Who holds what, the longest loan first. */
export function longestFirst(leases: Iterable<Lease>, most: number = Infinity): LeaseReport[] {
  const sorted = [...leases].toSorted((a, b) => a.acquiredAt - b.acquiredAt);
  return sorted.slice(0, most).map(reportLease);
}

export function reportLease(lease: Lease): LeaseReport {
  const now = performance.now();
  return {
    heldMs: Math.round(now - lease.acquiredAt),
    idleMs: Math.round(now - lease.lastUsedAt),
    running: isRunning(lease.session),
    lastStatement: lease.lastStatement?.slice(0, 500),
    tags: lease.tags,
    stack: lease.origin && callerLines(lease.origin),
  };
}

/** Enough for the layer's own frames and some of the user's below them. */
const STACK_FRAMES = 24;

/** The pause between two stacks that are taken as samples. */
const PAUSE_MS = 1;
/** Where more loans than these fall into a pause, the next one is longer. */
const MANY_LOANS = 50;
const LONG_PAUSE_MS = 5;

/**
 * Decides which loans remember where they were taken. Samples go by time, not by count: a quiet
 * program remembers nearly every loan, and a busy one spends no more than half a percent on it. The
 * longer pause keeps it so for one that gets only a part of a processor.
 */
export class StackSampler {
  readonly #mode: 'always' | 'sampled' | 'never';
  #nextAt = 0;
  #passed = 0;

  constructor(mode: 'always' | 'sampled' | 'never') {
    this.#mode = mode;
  }

  take(purpose: 'callback' | undefined, now: number): Error | undefined {
    if (this.#mode === 'never') return undefined;
    if (this.#mode === 'sampled' && now < this.#nextAt && purpose !== 'callback') {
      this.#passed++;
      return undefined;
    }
    this.#nextAt = now + (this.#passed > MANY_LOANS ? LONG_PAUSE_MS : PAUSE_MS);
    this.#passed = 0;
    return takeStack();
  }
}

/** An error that only remembers where it was made. */
export function takeStack(): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.max(limit, STACK_FRAMES);
  const origin = new Error('taken');
  Error.stackTraceLimit = limit;
  return origin;
}

// The folder of the foundation's packages: in this repository, or `node_modules/@dal`. A bundle has none,
// and in CommonJS not even a URL.
const home = /\/pool\/(?:src|dist)\/lease\.[jt]s$/.test(import.meta.url)
  ? new URL('../../', import.meta.url).pathname
  : undefined;

/** The lines of a stack that are the user's, not the layer's or Node's. */
export function callerLines(origin: Error): string {
  const lines = (origin.stack ?? '').split('\n').slice(1);
  const own = lines.filter(
    (line) =>
      !/[( ]node:/.test(line) &&
      !line.includes('new Promise (<anonymous>)') &&
      !line.includes('/node_modules/@dal/') &&
      (home === undefined || !line.includes(home) || line.includes('.test.')),
  );
  return (own.length > 0 ? own : lines).map((line) => line.trim().replace(/^at /, '')).join('\n');
}
