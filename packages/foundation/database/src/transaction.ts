import {
  channels,
  type DalError,
  type Deadline,
  isDalError,
  trace,
  type Transaction,
  type TransactionMessage,
  type TransactionOptions,
} from '@dal/core';
import type { Lease } from '@dal/pool';
import { transactionVerdict } from '@dal/resilience';
import { type CommitDoubt, settleDoubt } from './commit-outcome.ts';
import { commit } from './commit-transaction.ts';
import { OpenTransaction } from './open-transaction.ts';
import { Retries } from './retries.ts';
import { acquireFor } from './acquire-lease.ts';
import { giveBack } from './run-statement.ts';
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
  call?: Deadline['call'],
): Promise<T> {
  const settings = readTransactionOptions(options, call);
  if (!channels.transaction.hasSubscribers) return runAll(runtime, callback, settings);
  return told(runtime, settings, (watched) => runAll(runtime, callback, watched));
}

async function runAll<T>(
  runtime: Runtime,
  callback: (tx: Transaction) => Promise<T>,
  settings: TransactionSettings,
): Promise<T> {
  const { deadline } = settings;
  return repeat(runtime, settings, async (attempt) => {
    const lease = await acquireForTransaction(runtime, deadline, attempt.retries);
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
  if (!channels.transaction.hasSubscribers) {
    return runAllOn(runtime, lease, callback, settings, beforeDoubt);
  }
  return told(runtime, settings, (watched) =>
    runAllOn(runtime, lease, callback, watched, beforeDoubt),
  );
}

async function runAllOn<T>(
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

/** Those who listen are told of a transaction, and its statements know what they are part of. */
function told<T>(
  runtime: Runtime,
  settings: TransactionSettings,
  run: (watched: TransactionSettings) => Promise<T>,
): Promise<T> {
  const { driver, name, observed: database } = runtime;
  const { call: parent } = settings.deadline;
  const message: TransactionMessage = {
    database,
    startedAt: performance.now(),
    attempts: 0,
    parent,
  };
  const watched = { ...settings, deadline: { ...settings.deadline, call: message }, message };
  return trace(channels.transaction, message, () => run(watched), {
    resultOf: () => undefined,
    judge: (thrown) => toDalError(driver, name, thrown),
  });
}

interface Attempt {
  /** Another one would not begin where this one did. */
  isLast: boolean;
  /** Knows the attempts before it; undefined for the first one. */
  readonly retries: Retries | undefined;
}

interface Outcome<T> {
  readonly result: T;
  readonly doubt: CommitDoubt | undefined;
}

async function repeat<T>(
  runtime: Runtime,
  { deadline, retries: max, message }: TransactionSettings,
  run: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  let retries: Retries | undefined;
  let attempt: Attempt;
  runtime.budget.earn();
  for (;;) {
    attempt = { isLast: false, retries };
    if (message) message.attempts++;
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

async function acquireForTransaction(
  runtime: Runtime,
  deadline: Deadline,
  retries: Retries | undefined,
): Promise<Lease> {
  try {
    return await acquireFor(runtime, deadline, retries, 'callback');
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
