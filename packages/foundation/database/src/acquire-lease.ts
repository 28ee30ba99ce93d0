import { channels, type Deadline, readClock, remainingMs, sooner, trace, within } from '@dal/core';
import { type Lease, pingConnection } from '@dal/pool';
import type { Retries } from './retries.ts';
import type { Runtime } from './runtime.ts';
import { toDalError } from './to-dal-error.ts';

/** A server that takes longer for a sign of life is no better than one that refuses. */
const PROOF_MS = 2_000;

/** A connection for a first attempt, if there is one without a wait and nobody has to be asked or told. */
export function takeAtOnce(
  { breaker, pool }: Runtime,
  { startedAt }: Deadline,
  retries: Retries | undefined,
): Lease | undefined {
  if (retries || breaker || channels.acquire.hasSubscribers) return undefined;
  return pool.take(startedAt);
}

/** The connection for an attempt, which goes by what the one before it met. */
export function acquireFor(
  runtime: Runtime,
  deadline: Deadline,
  retries: Retries | undefined,
  purpose?: 'statement' | 'callback',
): Promise<Lease> {
  const acquire = retries?.needWritable ? acquireWritable : acquireLease;
  return acquire(runtime, deadline, purpose);
}

/** Waits for a connection no longer than the pool's own limit or the deadline, whichever is sooner. */
export function acquireLease(
  runtime: Runtime,
  deadline: Deadline,
  purpose?: 'statement' | 'callback',
): Promise<Lease> {
  const { breaker, pool, settings } = runtime;
  const acquired = (): Promise<Lease> => {
    const ask = (): Promise<Lease> => {
      const now = readClock();
      return pool.acquire(sooner(deadline, settings.pool.acquireTimeoutMs, now), purpose, now);
    };
    return channels.acquire.hasSubscribers ? acquireTold(runtime, deadline, ask) : ask();
  };
  if (breaker === undefined) return acquired();
  if (!breaker.allowRequest()) return Promise.reject(breaker.openError());
  return acquired().catch((error: unknown) => {
    breaker.recordError(toDalError(runtime.driver, runtime.name, error));
    throw error;
  });
}

function acquireTold(
  runtime: Runtime,
  { call: parent }: Deadline,
  ask: () => Promise<Lease>,
): Promise<Lease> {
  const { pool } = runtime.observed;
  return trace(channels.acquire, { pool, parent, startedAt: performance.now() }, ask, {
    resultOf: () => undefined,
    judge: (thrown) => toDalError(runtime.driver, runtime.name, thrown),
  });
}

/**
 * For another attempt after a write was refused: the server of this connection has just said that it
 * takes writes. Waits, like every acquire, while the pool looks for one, so that no attempt is wasted.
 */
async function acquireWritable(
  runtime: Runtime,
  deadline: Deadline,
  purpose?: 'statement' | 'callback',
): Promise<Lease> {
  const { pool, driver } = runtime;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- the next one is asked when this one will not do
    const lease = await acquireLease(runtime, deadline, purpose);
    const asked = pingConnection(lease.session.connection, driver.dialect);
    // oxlint-disable-next-line no-await-in-loop -- see above
    const outcome = await within(Math.min(PROOF_MS, remainingMs(deadline)), asked);
    if (outcome === 'done') return lease;
    pool.discard(lease);
  }
}
