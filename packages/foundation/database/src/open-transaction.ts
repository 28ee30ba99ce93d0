import {
  type DalError,
  type Deadline,
  deadlineAfter,
  type NativeResult,
  sooner,
  within,
} from '@dal/core';
import { type Lease, statusOf } from '@dal/pool';
import { beginTransaction, rollbackTransaction } from './begin-transaction.ts';
import { type CommitMark, prepareMark } from './commit-mark.ts';
import type { CompiledStatement } from './compile-statement.ts';
import { commitsImplicitly } from './implicit-commit.ts';
import { PendingWork } from './pending-work.ts';
import { runOnLease, type StatementCall } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { howItEnded, mayCommit, mayWrite, opensTransaction } from './statement-effects.ts';
import { endOpenStream } from './stream-reader.ts';
import { stopStatement } from './stop-statement.ts';
import { toDalError } from './to-dal-error.ts';
import {
  endedError,
  type Gone,
  goneError,
  insideTransaction,
  nestedBeginError,
  strictDdlError,
} from './transaction-errors.ts';
import { earlier, orTooLate } from './transaction-deadline.ts';
import { readTransactionOptions, type TransactionSettings } from './transaction-options.ts';

/** Longest time for the ROLLBACK of a transaction whose own time is over. */
const ROLLBACK_TIMEOUT_MS = 4_000;
/** How long the other statements of a failed transaction may still take before they are stopped. */
const LAST_WORDS_MS = 100;

/** A transaction, or a part of it that can be undone by itself. */
export interface Level {
  /** The first failure in it, for messages. */
  firstError: DalError | undefined;
  /** What one of its statements did can't be told, so it must not be kept. */
  doubtful: boolean;
}

/** One transaction from BEGIN to its end: what may be sent in it, and what became of it. */
export class OpenTransaction {
  readonly runtime: Runtime;
  readonly lease: Lease;
  readonly settings: TransactionSettings;
  /** Tells its outcome where the server itself can't. */
  readonly mark: CommitMark | undefined;
  /** Names it on the server, as soon as that is known. */
  transactionId: string | undefined;
  /** A statement was sent that may have changed something. */
  wrote = false;
  /** Something was written in a way that could not ask for the id. */
  unasked = false;
  /** How the server ended it by itself, if it did. */
  gone: Gone | undefined;
  /** A part of it that was to be undone was not, so nothing of it may be kept. */
  spoiled = false;
  #goneOf: DalError | undefined;
  #over: { readonly cause: DalError | undefined } | undefined;
  #savepoints = 0;
  #onWire: Promise<unknown> | undefined;
  #rollingBack: Promise<void> | undefined;
  readonly #pending: PendingWork;

  /** Sends BEGIN. */
  static async begin(
    runtime: Runtime,
    lease: Lease,
    settings: TransactionSettings,
  ): Promise<OpenTransaction> {
    const limit = sooner(settings.deadline, runtime.settings.statementTimeoutMs);
    const { commitTable } = runtime.settings;
    try {
      const mark =
        commitTable === undefined || settings.how.readOnly === true
          ? undefined
          : await prepareMark(runtime, lease, commitTable, limit);
      await beginTransaction(runtime, lease, settings.how, limit);
      return new OpenTransaction(runtime, lease, settings, mark);
    } catch (error) {
      const judged = toDalError(runtime.driver, runtime.name, error);
      throw orTooLate(runtime.name, settings.deadline, insideTransaction(judged, true));
    }
  }

  /** One that the user opened by SQL of his own. */
  static join(runtime: Runtime, lease: Lease): OpenTransaction {
    const open = new OpenTransaction(runtime, lease, readTransactionOptions(), undefined);
    open.noteWrite(true);
    return open;
  }

  private constructor(
    runtime: Runtime,
    lease: Lease,
    settings: TransactionSettings,
    mark: CommitMark | undefined,
  ) {
    this.runtime = runtime;
    this.lease = lease;
    this.settings = settings;
    this.mark = mark;
    this.#pending = new PendingWork(settings.strictConcurrency);
  }

  /** The server can be asked for the outcome of a transaction by its id. */
  get tellsOutcome(): boolean {
    return this.lease.session.connection.outcome !== undefined;
  }

  /** Each word of the layer has the statement's time, and never more than the transaction's. */
  wordDeadline(): Deadline {
    return sooner(this.settings.deadline, this.runtime.settings.statementTimeoutMs);
  }

  nextSavepoint(): string {
    return `dal_${++this.#savepoints}`;
  }

  /** Why it is over, when that was its deadline or signal. */
  get endedBy(): DalError | undefined {
    return this.#over?.cause;
  }

  /** From now on nothing is sent any more. */
  end(cause?: DalError): void {
    this.#over ??= { cause };
  }

  /** @throws when nothing may be sent any more */
  check(): void {
    if (this.#over) throw endedError(this.#over.cause);
    // The server's own word: a statement in front of this one may have ended the transaction.
    if (!this.gone && this.#isIdle()) this.gone = 'unknown';
    if (!this.gone) return;
    // Something of the transaction is missing now, whatever the caller makes of this error.
    this.spoiled = true;
    throw goneError(this.runtime.name, this.gone, this.#goneOf);
  }

  /** Sends a statement if the transaction is still open when its turn has come. */
  run(
    statement: CompiledStatement,
    deadline: Deadline,
    level: Level,
    call?: StatementCall,
  ): Promise<NativeResult> {
    this.check();
    this.#refuse(statement);
    return this.occupy(statement.shown, () => this.#run(statement, deadline, level, call));
  }

  /** Remembers work that uses the connection until it ends. @throws busyError with strictConcurrency */
  occupy<T>(shown: string, work: () => Promise<T>): Promise<T> {
    return this.#pending.start(shown, work);
  }

  noteWrite(unasked: boolean): void {
    this.wrote = true;
    if (unasked && this.transactionId === undefined) this.unasked = true;
  }

  /** Waits for what was started and not awaited. */
  drained(): Promise<void> {
    return this.#pending.drained();
  }

  /** The earlier of both deadlines, ended by both signals. */
  sooner(deadline: Deadline): Deadline {
    return earlier(deadline, this.settings.deadline);
  }

  /** Undoes all of it. Never rejects: the pool destroys at release what can't be cleaned. */
  rollback(): Promise<void> {
    this.end();
    this.#rollingBack ??= this.#rollBack().catch(() => undefined);
    return this.#rollingBack;
  }

  async #run(
    statement: CompiledStatement,
    deadline: Deadline,
    level: Level,
    call: StatementCall | undefined,
  ): Promise<NativeResult> {
    const { runtime, lease } = this;
    const writes = mayWrite(statement.operation);
    const sent: { state: 'no' | 'yes' | 'refused' } = { state: 'no' };
    try {
      return await runOnLease(runtime, lease, statement, this.sooner(deadline), async (on, own) => {
        this.check();
        sent.state = 'yes';
        if (writes) this.noteWrite(call !== undefined);
        const asks = writes && this.transactionId === undefined && this.tellsOutcome;
        const asked = asks ? { ...own, askTransaction: true } : own;
        const answer = call ? call(on, asked) : on.query(asked);
        this.#onWire = answer;
        try {
          const result = await answer;
          this.transactionId ??= result.transactionId;
          this.#look(statement, false);
          return result;
        } catch (error) {
          sent.state = 'refused';
          this.#look(statement, true);
          throw error;
        } finally {
          this.#onWire = undefined;
        }
      });
    } catch (thrown) {
      const error = thrown as DalError;
      // It left, and nobody knows what it did; or it was done, and is told to be undone.
      const unknown = sent.state === 'yes' || error.fault?.applied === 'unknown';
      if (writes && unknown) level.doubtful = true;
      if (error.fault?.applied === 'unknown' && mayCommit(runtime.driver.dialect, statement)) {
        this.gone ??= 'unknown';
      }
      // Where the session has no `status`, only the error tells it.
      if (error.fault?.transaction === 'aborted') lease.session.followed = 'failed';
      if (error.fault?.transaction === 'gone' && !error.fault.connectionLost) {
        this.#went(statement, true);
      }
      const told = this.gone === undefined ? insideTransaction(error, level.doubtful) : error;
      if (this.gone !== undefined) this.#goneOf ??= told;
      level.firstError ??= told;
      throw told;
    }
  }

  /** What may not be sent in a transaction at all. */
  #refuse(statement: CompiledStatement): void {
    if (opensTransaction(statement.operation, statement.text)) {
      throw nestedBeginError(statement.shown);
    }
    if (this.settings.strictDdl && commitsImplicitly(this.runtime.driver.dialect, statement)) {
      throw strictDdlError(this.runtime.name, statement.shown);
    }
  }

  /** Where the protocol says that no transaction is open any more, the next statement would stand alone. */
  #look(statement: CompiledStatement, hasFailed: boolean): void {
    if (!this.gone && this.#isIdle()) this.#went(statement, hasFailed);
  }

  #went(statement: CompiledStatement, hasFailed: boolean): void {
    if (this.gone) return;
    const { driver, hooks, name } = this.runtime;
    this.gone = howItEnded(driver.dialect, statement, hasFailed);
    if (this.gone === 'committed' && commitsImplicitly(driver.dialect, statement)) {
      hooks.emit('implicitCommit', { database: name, statement: statement.shown });
    }
  }

  #isIdle(): boolean {
    const { session } = this.lease;
    return session.connection.status !== undefined && !session.lost && statusOf(session) === 'idle';
  }

  async #rollBack(): Promise<void> {
    const { session } = this.lease;
    await endOpenStream(session);
    const running = this.#onWire?.catch(() => undefined);
    if (running && (await within(LAST_WORDS_MS, running)) === 'late') {
      // Its deadline may have stopped it already. Without a cancel it is waited for.
      if (!session.settling && session.connection.cancel) void stopStatement(session, running);
    }
    if (session.lost) return;
    const { call } = this.settings.deadline;
    const deadline = deadlineAfter(ROLLBACK_TIMEOUT_MS, undefined, call);
    await rollbackTransaction(this.runtime, this.lease, deadline);
  }
}
