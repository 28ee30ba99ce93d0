import { type Lease, reportLease } from '@dal/pool';
import type { Runtime } from './runtime.ts';

interface Watched {
  readonly runtime: Runtime;
  readonly lease: Lease;
}

/** Told by the garbage collector when a handle that nobody can give back any more is gone. */
const dropped = new FinalizationRegistry<Watched>(({ runtime, lease }) => {
  if (lease.ended) return;
  const { heldMs, lastStatement, stack } = reportLease(lease);
  const where = stack ? ` It was acquired at:\n${stack}` : ' See the option pool.acquireStacks.';
  process.emitWarning(
    `A connection of "${runtime.name}" was never given back: nothing refers to it any more after ${heldMs} ms. ` +
      `Use "await using" or release(). Last statement: ${lastStatement ?? 'none'}.${where}`,
    { code: 'DAL_CONNECTION_DROPPED' },
  );
  // What still runs on it ends first, and what is open is rolled back. Never rejects.
  void runtime.pool.release(lease);
});

/** Takes a loan back when its handle is dropped without a release, and warns of it. */
export function watchForDrop(handle: object, runtime: Runtime, lease: Lease): void {
  dropped.register(handle, { runtime, lease }, lease);
}

/**
 * The loan is over. Until the handle is gone the registry would keep the loan, by it a session that was
 * lost, and by the frames of the error that says why maybe the handle itself: for ever.
 */
export function stopWatchingForDrop(lease: Lease): void {
  dropped.unregister(lease);
}
