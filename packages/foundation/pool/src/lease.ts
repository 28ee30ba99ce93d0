import type { LeaseReport, Placed } from '@dal/core';
import type { Session } from './session.ts';

/** One loan of a session, from `acquire` to `release`. */
export interface Lease<Raw = unknown> extends Placed {
  readonly session: Session<Raw>;
  readonly acquiredAt: number;
  lastUsedAt: number;
  lastStatement: string | undefined;
  tags: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Holds the place in the code that took the loan; its text is made only when it is read. */
  readonly origin: Error | undefined;
  ended: boolean;
  /** How often its holder waits for another session of the same pool. */
  nestedWaits: number;
}

export function reportLease(lease: Lease): LeaseReport {
  const now = performance.now();
  return {
    heldMs: Math.round(now - lease.acquiredAt),
    idleMs: Math.round(now - lease.lastUsedAt),
    lastStatement: lease.lastStatement?.slice(0, 500),
    tags: lease.tags,
    stack: lease.origin && callerLines(lease.origin),
  };
}

/** Enough for the layer's own frames and some of the user's below them. */
const STACK_FRAMES = 24;

/** An error that only remembers where it was made. */
export function takeStack(): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.max(limit, STACK_FRAMES);
  const origin = new Error('taken');
  Error.stackTraceLimit = limit;
  return origin;
}

// The folder of the foundation's packages: in this repository, or `node_modules/@dal`.
const home = new URL('../../', import.meta.url).pathname;

/** The lines of a stack that are the user's, not the layer's or Node's. */
export function callerLines(origin: Error): string {
  const lines = (origin.stack ?? '').split('\n').slice(1);
  const own = lines.filter(
    (line) =>
      !line.includes('node:internal') &&
      !line.includes('new Promise (<anonymous>)') &&
      !line.includes('/node_modules/@dal/') &&
      (!line.includes(home) || line.includes('.test.')),
  );
  return (own.length > 0 ? own : lines).map((line) => line.trim().replace(/^at /, '')).join('\n');
}
