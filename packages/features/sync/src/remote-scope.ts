import {
  type AcquireOptions,
  type BeginOptions,
  CommitOutcomeUnknownError,
  type ConnectionError,
  type DriverVersion,
  isDalError,
  type SyncConnection,
  type SyncTransaction,
  TransactionError,
  type TransactionOptions,
} from '@dal/core';
import type { SyncSource } from '@dal/database';
import { carryError, uncarryError } from './carried-error.ts';
import { givenBackError } from './given-back-error.ts';
import type { Place, PlainVerb, Request } from './messages.ts';
import { refusePromise } from './refuse-promise.ts';
import { type Remote, type Sent, travel, valueOf } from './remote-call.ts';
import { RemoteStatements } from './remote-statements.ts';

/** Begins a scope: asks the worker to lend a connection or to open a transaction. */
export interface EnterScope {
  readonly source: SyncSource;
  readonly limitMs: number;
  send(make: (place: Place) => Request, limitMs: number): Sent;
}

/** Runs the callback in a transaction or on a connection that the worker holds, again where it says so. */
export function runInScope<T>(
  { source, limitMs, send }: EnterScope,
  how: 'transaction' | 'savepoint' | 'connection',
  callback: ((tx: SyncTransaction) => T) | ((connection: SyncConnection) => T),
  options: TransactionOptions & AcquireOptions,
): T {
  const travelling = travel(options);
  const word = how === 'connection' ? 'connection' : 'transaction';
  const longest = limitMs + (travelling.timeoutMs ?? 0);
  let { answer, thread } = send(
    (on) => ({ op: 'enter', on, how: word, ...travelling.parts }),
    longest,
  );
  let result: T | undefined;
  let thrown: { readonly error: unknown } | undefined;
  while (answer.kind === 'run') {
    const remote: Remote = { thread, place: answer.on };
    const scope =
      how === 'connection'
        ? new RemoteConnection(source, remote)
        : new RemoteTransaction(source, remote);
    thrown = undefined;
    try {
      result = callback(scope as RemoteTransaction & RemoteConnection);
      refusePromise(result);
    } catch (error) {
      thrown = { error };
    } finally {
      scope.end();
    }
    const failure = thrown && carryError(thrown.error);
    try {
      answer = thread.ask({ op: 'leave', scope: answer.scope, on: answer.on, failure }, longest);
    } catch (lost) {
      // The callback's own error tells more, and says that nothing is to be kept.
      if (thrown) throw thrown.error;
      throw how === 'transaction' ? commitLost(source.name, lost) : lost;
    }
  }
  if (answer.kind === 'error' && answer.own && thrown) {
    const carried = uncarryError(answer.error);
    // Earlier attempts were noted on the worker's copy of the error.
    if (isDalError(thrown.error) && isDalError(carried) && carried.attempts.length > 0) {
      thrown.error.attempts = carried.attempts;
    }
  }
  valueOf(answer, thrown);
  return result as T;
}

/** Statements on something that ends with a callback. */
abstract class RemoteScope extends RemoteStatements {
  readonly #remote: Remote;
  #ended = false;

  constructor(source: SyncSource, remote: Remote) {
    super(source);
    this.#remote = remote;
  }

  end(): void {
    this.#ended = true;
  }

  protected abstract endedError(): Error;

  protected send(make: (place: Place) => Request, limitMs: number): Sent {
    if (this.#ended) throw this.endedError();
    const { thread, place } = this.#remote;
    return { thread, answer: thread.ask(make(place), limitMs) };
  }

  protected get entrance(): EnterScope {
    return {
      source: this.source,
      limitMs: this.wordsMs,
      send: (make, limitMs) => this.send(make, limitMs),
    };
  }
}

class RemoteTransaction extends RemoteScope implements SyncTransaction {
  transaction<T>(callback: (tx: SyncTransaction) => T): T {
    return runInScope(this.entrance, 'savepoint', callback, {});
  }

  protected endedError(): Error {
    return new TransactionError(
      'This transaction has ended; its statements belong inside the callback. Nothing was sent.',
      { kind: 'usage', code: 'DAL_TRANSACTION_ENDED' },
    );
  }
}

class RemoteConnection extends RemoteScope implements SyncConnection {
  get inTransaction(): boolean {
    return this.#plain('inTransaction') as boolean;
  }

  begin(options: Omit<TransactionOptions, 'retries'> = {}): void {
    this.#plain('begin', options);
  }

  commit(): void {
    this.#plain('commit');
  }

  rollback(): void {
    this.#plain('rollback');
  }

  version(): DriverVersion {
    return this.#plain('version') as DriverVersion;
  }

  transaction<T>(
    callback: (tx: SyncTransaction) => T,
    options: Omit<TransactionOptions, 'retries'> = {},
  ): T {
    return runInScope(this.entrance, 'transaction', callback, options);
  }

  protected endedError(): Error {
    return givenBackError();
  }

  #plain(verb: PlainVerb, options: BeginOptions & AcquireOptions = {}): unknown {
    const { parts, timeoutMs = 0 } = travel(options);
    const { answer } = this.send(
      (on) => ({ op: 'plain', on, verb, ...parts }),
      this.wordsMs + timeoutMs,
    );
    return valueOf(answer);
  }
}

function commitLost(name: string, lost: unknown): unknown {
  const { fault } = lost as ConnectionError;
  if (!isDalError(lost) || fault?.applied !== 'unknown') return lost;
  return new CommitOutcomeUnknownError(
    `The worker thread ended while COMMIT on "${name}" was under way: the transaction may or may not be in the database. Look before doing it again.`,
    { kind: 'connection', code: 'DAL_COMMIT_OUTCOME_UNKNOWN', cause: lost, fault },
  );
}
