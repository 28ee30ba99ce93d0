import type { Deadline } from '@dal/core';
import type { Lease } from '@dal/pool';
import { acquireFor } from './acquire-lease.ts';
import { type Retries, statementRetries } from './retries.ts';
import { giveBack } from './run-statement.ts';
import type { Runtime } from './runtime.ts';

/** What is done first on a lent connection. */
export interface FirstWork<T> {
  /** For messages. */
  readonly shown: string;
  readonly idempotent: boolean;
  readonly run: (lease: Lease) => Promise<T>;
}

/** Who has the connection in the meantime. */
export interface FirstHolder {
  /** @throws PoolError when the connection was given back */
  check(): void;
  /** The lease that takes the place of the one before, which has ended then. */
  take(lease: Lease): void;
}

/**
 * Runs what comes first on a lent connection. Nothing depends on its session yet, so another one will do:
 * it runs again where a statement of its own might.
 */
export async function runFirst<T>(
  runtime: Runtime,
  lease: Lease,
  deadline: Deadline,
  { shown, idempotent, run }: FirstWork<T>,
  holder: FirstHolder,
): Promise<T> {
  let current = lease;
  let retries: Retries | undefined;
  runtime.budget.earn();
  for (;;) {
    try {
      if (current.ended) {
        // oxlint-disable-next-line no-await-in-loop -- the attempts come one after another
        current = await acquireFor(runtime, deadline, retries, 'statement');
        current.origin = lease.origin;
        current.tags = lease.tags;
        holder.take(current);
      }
      // oxlint-disable-next-line no-await-in-loop -- see above
      return await run(current);
    } catch (thrown) {
      retries ??= statementRetries(runtime, deadline, shown, idempotent);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await retries.waitForNext(thrown);
      holder.check();
      if (current.session.lost || retries.needWritable) giveBack(runtime, current);
    }
  }
}
