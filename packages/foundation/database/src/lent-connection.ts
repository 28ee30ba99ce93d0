import {
  type Connection,
  type Deadline,
  deadlineAfter,
  type DriverVersion,
  type NativeResult,
  type StatementOptions,
  type Transaction,
  type TransactionOptions,
} from '@dal/core';
import { isHeldBy, type Lease, statusOf } from '@dal/pool';
import { rollbackTransaction } from './begin-transaction.ts';
import { settleDoubt } from './commit-outcome.ts';
import type { CompiledStatement } from './compile-statement.ts';
import { stopWatchingForDrop, watchForDrop } from './dropped-connections.ts';
import { lostError, releasedError } from './lent-errors.ts';
import { NestingGate } from './nesting-gate.ts';
import { OpenTransaction } from './open-transaction.ts';
import { readVersion } from './read-version.ts';
import { type FirstWork, runFirst } from './run-first.ts';
import { giveBack, runOnLease, type StatementCall } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { endsTransaction } from './statement-effects.ts';
import { StatementMethods } from './statement-methods.ts';
import { endOpenStream } from './stream-reader.ts';
import { type StreamCall, streamOnLease } from './stream-statement.ts';
import { onDeadline } from './transaction-deadline.ts';
import {
  nestedBeginError,
  noTransactionError,
  notYoursError,
  openAlreadyError,
  retriesError,
} from './transaction-errors.ts';
import { readTransactionOptions } from './transaction-options.ts';
import { TransactionScope } from './transaction-scope.ts';
import { runTransactionOn } from './transaction.ts';

const NO_DEADLINE = deadlineAfter(Infinity);

/** A transaction that was opened by `begin`. */
interface Manual {
  readonly open: OpenTransaction;
  readonly scope: TransactionScope;
  readonly stopWatching: () => void;
}

/** What a transaction with a callback takes up on its connection. */
interface Place {
  /** Undefined before its BEGIN. */
  scope: TransactionScope | undefined;
}

/** The handle of one loan. Once it was given back, every call throws and nothing is sent. */
export class LentConnection extends StatementMethods implements Connection {
  #lease: Lease;
  /** Keeps the connection's own statements out of a callback's transaction that runs on it. */
  readonly #gate = new NestingGate<Place>();
  #manual: Manual | undefined;
  /** The session was lost and its place in the pool given up. */
  #abandoned = false;
  /** Nothing was done with the session yet, so that another one would do as well. */
  #fresh: boolean;
  /** The session may be changed for another one; there are moments without any. */
  #changing = false;
  /** It was given back while there was no session, or might soon be none. */
  #released = false;

  /** @param hold `free`: nothing ends the loan but its holder, who may also forget it */
  constructor(runtime: Runtime, lease: Lease, hold: 'free' | 'callback' = 'callback') {
    super(runtime);
    this.#lease = lease;
    this.#fresh = hold === 'free';
    if (hold === 'free') watchForDrop(this, runtime, lease);
  }

  get raw(): unknown {
    this.#check();
    // Whatever is done with it can't be seen from here.
    this.#lease.session.dirty = true;
    this.#fresh = false;
    return this.#lease.session.connection.raw;
  }

  get inTransaction(): boolean {
    this.#check();
    return statusOf(this.#lease.session) !== 'idle';
  }

  async begin(options: Omit<TransactionOptions, 'retries'> = {}): Promise<void> {
    this.#check();
    const settings = readTransactionOptions(options);
    if ('retries' in options) throw retriesError();
    await this.#outside('begin()');
    if (this.#manual || this.inTransaction) throw nestedBeginError('begin()');
    const begin = (lease: Lease): Promise<OpenTransaction> =>
      OpenTransaction.begin(this.runtime, lease, settings);
    const open = await (this.#fresh
      ? this.#first({ shown: 'BEGIN', idempotent: true, run: begin }, settings.deadline)
      : begin(this.#lease));
    // Nobody waits for it; the next statement is told.
    const stopWatching = onDeadline(open, () => void open.rollback());
    this.#manual = { open, scope: new TransactionScope(open), stopWatching };
  }

  async commit(): Promise<void> {
    this.#check();
    await this.#outside('commit()');
    const manual = this.#endManual();
    if (!manual && !this.inTransaction) throw noTransactionError('commit()');
    const scope = manual?.scope ?? this.#joined();
    const doubt = await scope.commit();
    if (!doubt) return;
    this.#abandonLost();
    await settleDoubt(this.runtime, doubt, manual?.open.settings.deadline ?? NO_DEADLINE);
  }

  async rollback(): Promise<void> {
    this.#check();
    await this.#outside('rollback()');
    const manual = this.#endManual();
    // Under way already when its deadline ended it.
    if (manual?.open.endedBy) return manual.open.rollback();
    manual?.open.end();
    return rollbackTransaction(this.runtime, this.#lease, this.deadline(undefined));
  }

  async transaction<T>(
    callback: (tx: Transaction) => Promise<T>,
    options: TransactionOptions = {},
    call?: Deadline['call'],
  ): Promise<T> {
    this.#check();
    this.#fresh = false;
    const settings = readTransactionOptions(options, call);
    const outer = this.#insideOf() ?? this.#manual?.scope;
    if (outer) return nested(outer, callback, options);
    const place: Place = { scope: undefined };
    const turn = this.#gate.enter(place, settings.deadline);
    if (turn) await turn;
    try {
      this.#check();
      // Opened meanwhile, or by SQL of the user's own.
      const open = this.#manual?.scope ?? (this.inTransaction ? this.#joined() : undefined);
      if (open) {
        place.scope = open;
        return await nested(open, callback, options);
      }
      return await runTransactionOn(
        this.runtime,
        this.#lease,
        (scope) => {
          place.scope = scope;
          return callback(scope);
        },
        settings,
        () => this.#abandonLost(),
      );
    } finally {
      this.#gate.leave();
    }
  }

  async version(): Promise<DriverVersion> {
    this.#check();
    return readVersion(this.runtime, this.#lease, this.deadline(undefined));
  }

  touch(): void {
    this.#check();
    this.#lease.lastUsedAt = performance.now();
  }

  async release(): Promise<void> {
    this.#endManual()?.open.end();
    if (this.#hasNothingToGive()) return;
    if (!this.#lease.ended) await endOpenStream(this.#lease.session);
    const cleaning = this.runtime.pool.release(this.#lease);
    stopWatchingForDrop(this.#lease);
    if (cleaning) await cleaning;
  }

  async destroy(): Promise<void> {
    this.#endManual()?.open.end();
    if (this.#hasNothingToGive()) return;
    this.#check();
    this.runtime.pool.discard(this.#lease);
    stopWatchingForDrop(this.#lease);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#lease.ended || this.#isBetweenSessions) await this.release();
  }

  protected async run(
    statement: CompiledStatement,
    deadline: Deadline,
    options: StatementOptions | undefined,
    call?: StatementCall,
  ): Promise<NativeResult> {
    this.#check();
    if (options?.tags) this.#lease.tags = options.tags;
    const inside = this.#insideOf();
    if (inside) return inside.runHere(statement, deadline, call);
    const turn = this.#gate.pass(deadline);
    if (turn) {
      await turn;
      this.#check();
    }
    if (call) this.#fresh = false;
    if (this.#fresh) {
      const run = (lease: Lease): Promise<NativeResult> =>
        runOnLease(this.runtime, lease, statement, deadline);
      const idempotent = options?.idempotent === true;
      return this.#first({ shown: statement.shown, idempotent, run }, deadline);
    }
    const manual = this.#manual;
    if (!manual) return runOnLease(this.runtime, this.#lease, statement, deadline, call);
    try {
      return await manual.scope.runHere(statement, deadline, call);
    } finally {
      // The user ended it by SQL of his own; what follows stands alone, as he knows.
      const ended = manual.open.gone !== undefined && endsTransaction(statement.operation);
      if (ended && this.#manual === manual) this.#endManual();
    }
  }

  protected async *streamPieces<T>(call: StreamCall<T>): AsyncGenerator<T, void, undefined> {
    this.#check();
    this.#fresh = false;
    const inside = this.#insideOf();
    const turn = inside ? undefined : this.#gate.pass(this.deadline(undefined));
    if (turn) await turn;
    const scope = inside ?? this.#manual?.scope;
    yield* scope
      ? scope.streamHere(call)
      : streamOnLease(this.runtime, this.#lease, call, { check: () => this.#check() });
  }

  protected async allOrNothing<T>(
    { call }: Deadline,
    work: (on: StatementMethods) => Promise<T>,
  ): Promise<T> {
    // Joins the transaction that the user opened, so that only its own part is undone.
    if (this.inTransaction && !this.dialect.transaction?.savepoint) return work(this);
    // What a transaction hands to its callback is a StatementMethods too.
    return this.transaction((tx) => work(tx as unknown as StatementMethods), {}, call);
  }

  /** The transaction in whose callback this call is made. */
  #insideOf(): TransactionScope | undefined {
    const scope = this.#gate.inside?.scope;
    return scope && isHeldBy(scope) ? scope : undefined;
  }

  /** What comes first may change the session for another one; what follows waits for its end. */
  async #first<T>(work: FirstWork<T>, deadline: Deadline): Promise<T> {
    this.#fresh = false;
    this.#changing = true;
    // Free, since nothing came before.
    void this.#gate.enter({ scope: undefined }, deadline);
    const check = (): void => {
      if (this.#released) throw releasedError();
    };
    const take = (lease: Lease): void => {
      if (this.#released) giveBack(this.runtime, lease);
      check();
      stopWatchingForDrop(this.#lease);
      this.#lease = lease;
      watchForDrop(this, this.runtime, lease);
    };
    try {
      return await runFirst(this.runtime, this.#lease, deadline, work, { check, take });
    } finally {
      this.#changing = false;
      if (this.#lease.ended && !this.#released) this.#abandoned = true;
      this.#gate.leave();
    }
  }

  get #isBetweenSessions(): boolean {
    return this.#changing && this.#lease.ended && !this.#released;
  }

  /** Ends a change of the session that is under way. @throws PoolError when it was given back already */
  #hasNothingToGive(): boolean {
    if (!this.#abandoned && !this.#changing) return false;
    if (this.#released) throw releasedError();
    this.#released = true;
    return this.#lease.ended;
  }

  /** Waits for the end of a callback's transaction; inside of it the call is refused. */
  async #outside(what: string): Promise<void> {
    if (this.#insideOf()) throw notYoursError(what);
    const turn = this.#gate.pass(this.deadline(undefined));
    if (turn) await turn;
    this.#check();
  }

  #endManual(): Manual | undefined {
    const manual = this.#manual;
    this.#manual = undefined;
    manual?.stopWatching();
    return manual;
  }

  /** The transaction that the user opened by SQL of his own. */
  #joined(): TransactionScope {
    return new TransactionScope(OpenTransaction.join(this.runtime, this.#lease));
  }

  /** Frees the place of a lost session, so that another one can be asked what became of it. */
  #abandonLost(): void {
    if (!this.#lease.session.lost || this.#lease.ended) return;
    this.#abandoned = true;
    this.runtime.pool.discard(this.#lease);
    stopWatchingForDrop(this.#lease);
  }

  #check(): void {
    if (!this.#lease.ended || this.#isBetweenSessions) return;
    if (this.#abandoned) throw lostError(this.runtime.name, this.#lease.session.lost);
    throw releasedError();
  }
}

/** A part of an open transaction, which has its options already. */
function nested<T>(
  outer: TransactionScope,
  callback: (tx: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  if (Object.keys(options).length > 0) throw openAlreadyError();
  return outer.transaction(callback);
}
