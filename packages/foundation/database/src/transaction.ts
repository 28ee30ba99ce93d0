import {
  type DalError,
  type Deadline,
  isDalError,
  type Transaction,
  type TransactionOptions,
} from '@dal/core';
import type { Lease } from '@dal/pool';
import { transactionVerdict } from '@dal/resilience';
import { type CommitDoubt, settleDoubt } from './commit-outcome.ts';
import { commit } from './commit-transaction.ts';
import { OpenTransaction } from './open-transaction.ts';
import { Retries } from './retries.ts';
import { acquireLease, giveBack } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { toDalError } from './to-dal-error.ts';
import { bounded } from './transaction-deadline.ts';
import { readTransactionOptions, type TransactionSettings } from './transaction-options.ts';
import { TransactionScope } from './transaction-scope.ts';

type Callback<T> = (tx: TransactionScope) => Promise<T>;

/**
 * Runs the callback in a transaction of its own connection; runs all of it again, as often as
 * `retries` allows, when the server undid it for reasons that may pass.
 */
export async function runTransaction<T>(
  runtime: Runtime,
  callback: (tx: Transaction) => Promise<T>,
  options?: TransactionOptions,
): Promise<T> {
  const settings = readTransactionOptions(options);
  const { deadline } = settings;
  return repeat(runtime, settings, async (attempt) => {
    const lease = await acquireForTransaction(runtime, deadline);
    let outcome: Outcome<T>;
    try {
      outcome = await runAttempt(runtime, lease, callback, settings, attempt);
    } finally {
      giveBack(runtime, lease);
    }
    // The place of the lost connection is free by now, so that another one can ask.
    if (outcome.doubt) await settleDoubt(runtime, outcome.doubt, deadline);
    return outcome.result;
  });
}

/**
 * The same on a connection that stays lent; all attempts are on it.
 *
 * @param beforeDoubt called before another connection is asked about a COMMIT
 */
export async function runTransactionOn<T>(
  runtime: Runtime,
  lease: Lease,
  callback: Callback<T>,
  settings: TransactionSettings,
  beforeDoubt: () => void,
): Promise<T> {
  return repeat(runtime, settings, async (attempt) => {
    try {
      const outcome = await runAttempt(runtime, lease, callback, settings, attempt);
      if (!outcome.doubt) return outcome.result;
      beforeDoubt();
      await settleDoubt(runtime, outcome.doubt, settings.deadline);
      return outcome.result;
    } finally {
      if (lease.session.lost) attempt.isLast = true;
    }
  });
}

interface Attempt {
  /** Another one would not begin where this one did. */
  isLast: boolean;
}

interface Outcome<T> {
  readonly result: T;
  readonly doubt: CommitDoubt | undefined;
}

async function repeat<T>(
  runtime: Runtime,
  { deadline, retries: max }: TransactionSettings,
  run: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  let retries: Retries | undefined;
  let attempt: Attempt;
  runtime.budget.earn();
  for (;;) {
    attempt = { isLast: false };
    try {
      return await run(attempt);
    } catch (thrown) {
      const reason = reasonOf(thrown);
      if (max === 0 || reason === undefined) throw thrown;
      retries ??= new Retries(
        runtime,
        deadline,
        max,
        undefined,
        (fault) => !attempt.isLast && transactionVerdict(fault, runtime.pool.seeksPrimary),
      );
      await retries.waitForNext(reason).catch((refusal: unknown) => {
        throw refusal === reason ? thrown : refusal;
      });
    }
  }
}

/** The layer's error in what a callback threw: it may have put an error of its own around it. */
function reasonOf(thrown: unknown): DalError | undefined {
  let error = thrown;
  for (let depth = 0; depth < 8; depth++) {
    if (isDalError(error)) return error;
    if (!(error instanceof Error)) return undefined;
    error = error.cause;
  }
  return undefined;
}

async function acquireForTransaction(runtime: Runtime, deadline: Deadline): Promise<Lease> {
  try {
    return await acquireLease(runtime, deadline, 'callback');
  } catch (error) {
    throw toDalError(runtime.driver, runtime.name, error);
  }
}

/** Begin, callback, commit or rollback. */
async function runAttempt<T>(
  runtime: Runtime,
  lease: Lease,
  callback: Callback<T>,
  settings: TransactionSettings,
  attempt: Attempt,
): Promise<Outcome<T>> {
  const open = await OpenTransaction.begin(runtime, lease, settings);
  const scope = new TransactionScope(open);
  try {
    const result = await bounded(open, () => scope.during(callback));
    return { result, doubt: await commit(open, scope) };
  } catch (error) {
    // Bounded by itself; when the deadline ended the transaction, the caller has waited enough.
    if (!open.endedBy) await open.rollback();
    // What the server committed in the middle must not come a second time.
    if (open.gone === 'committed' || open.gone === 'unknown') attempt.isLast = true;
    throw error;
  }
}
