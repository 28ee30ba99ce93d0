import type {
  DalError,
  Deadline,
  NativeResult,
  StatementOptions,
  Transaction,
  TransactionMessage,
} from '@dal/core';
import { isHeldBy, statusOf, whileHolding } from '@dal/pool';
import { savepoint, type SavepointStep } from './begin-transaction.ts';
import type { CommitDoubt } from './commit-outcome.ts';
import { commit } from './commit-transaction.ts';
import { type CompiledStatement, layerStatement } from './compile-statement.ts';
import { NestingGate } from './nesting-gate.ts';
import type { Level, OpenTransaction } from './open-transaction.ts';
import type { StatementCall } from './run-statement.ts';
import { mayWrite } from './statement-effects.ts';
import { StatementMethods } from './statement-methods.ts';
import { endOpenStream } from './stream-reader.ts';
import { type StreamCall, streamOnLease } from './stream-statement.ts';
import { busyError, endedError, rolledBackError } from './transaction-errors.ts';

/** What a transaction's callback works with; refuses everything once the callback has ended. */
export class TransactionScope extends StatementMethods implements Transaction, Level {
  firstError: DalError | undefined;
  doubtful = false;
  readonly #open: OpenTransaction;
  readonly #gate = new NestingGate<TransactionScope>();
  #ended = false;

  constructor(open: OpenTransaction) {
    super(open.runtime);
    this.#open = open;
  }

  protected override get parent(): TransactionMessage | undefined {
    return this.#open.settings.message;
  }

  async transaction<T>(callback: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#check();
    const { inside } = this.#gate;
    if (inside && isHeldBy(inside)) return inside.transaction(callback);
    return this.nest((nested) => callback(nested));
  }

  /** Runs the callback between a savepoint and its end. */
  async nest<T>(callback: (nested: TransactionScope) => Promise<T>): Promise<T> {
    this.#refuseNeighbour('a nested transaction');
    const nested = new TransactionScope(this.#open);
    const turn = this.#gate.enter(nested, this.#open.wordDeadline());
    if (turn) await turn;
    try {
      return await nested.#betweenSavepoints(callback);
    } finally {
      this.#gate.leave();
    }
  }

  /** Runs the callback and waits for what it started and did not await; then nothing is sent any more. */
  async during<T>(callback: (scope: this) => Promise<T>): Promise<T> {
    try {
      const result = await whileHolding(this.#open.lease, this, () => callback(this));
      await this.#settled();
      return result;
    } finally {
      this.#ended = true;
    }
  }

  /** Commits all of it; see `commit`. */
  async commit(): Promise<CommitDoubt | undefined> {
    if (this.#ended) throw endedError(this.#open.endedBy);
    // Of one that the server has ended, `commit` knows whether anything is lost.
    if (!this.#open.gone) this.#open.check();
    try {
      await this.#settled();
    } finally {
      this.#ended = true;
    }
    return commit(this.#open, this);
  }

  /** `run` for those who stand outside. */
  runHere(
    statement: CompiledStatement,
    deadline: Deadline,
    call?: StatementCall,
  ): Promise<NativeResult> {
    return this.run(statement, deadline, undefined, call);
  }

  /** `streamPieces` for those who stand outside. */
  streamHere<T>(call: StreamCall<T>): AsyncGenerator<T, void, undefined> {
    return this.streamPieces(call);
  }

  protected run(
    statement: CompiledStatement,
    deadline: Deadline,
    options: StatementOptions | undefined,
    call?: StatementCall,
  ): Promise<NativeResult> {
    this.#check();
    const { inside } = this.#gate;
    if (inside && isHeldBy(inside)) return inside.run(statement, deadline, options, call);
    this.#refuseNeighbour(statement.shown);
    const turn = this.#gate.pass(this.#open.sooner(deadline));
    if (!turn) return this.#open.run(statement, deadline, this, call);
    return turn.then(() => {
      this.#check();
      return this.#open.run(statement, deadline, this, call);
    });
  }

  protected async *streamPieces<T>(call: StreamCall<T>): AsyncGenerator<T, void, undefined> {
    this.#check();
    const { inside } = this.#gate;
    if (inside && isHeldBy(inside)) {
      yield* inside.streamPieces(call);
      return;
    }
    this.#refuseNeighbour(call.statement.shown);
    const turn = this.#gate.pass(this.#open.wordDeadline());
    if (turn) await turn;
    const { operation, shown } = call.statement;
    if (mayWrite(operation)) this.#open.noteWrite(true);
    const { promise, resolve: ended } = Promise.withResolvers<void>();
    void this.#open.occupy(shown, () => promise);
    try {
      yield* streamOnLease(this.runtime, this.#open.lease, call, {
        deadline: this.#open.settings.deadline,
        check: () => {
          this.#check();
          this.#open.check();
        },
        onError: (error) => {
          this.firstError ??= error;
        },
        onFree: ended,
      });
    } finally {
      ended();
    }
  }

  protected async allOrNothing<T>(
    _deadline: Deadline,
    work: (on: StatementMethods) => Promise<T>,
  ): Promise<T> {
    this.#check();
    return this.nest((nested) => work(nested));
  }

  async #betweenSavepoints<T>(callback: (nested: TransactionScope) => Promise<T>): Promise<T> {
    const { runtime, lease } = this.#open;
    const { begin, undo, release } = savepoint(runtime, lease, this.#open.nextSavepoint());
    await this.#say(begin);
    try {
      const result = await this.during(callback);
      if (this.doubtful || statusOf(lease.session) === 'failed') {
        throw rolledBackError(runtime.name, this.firstError);
      }
      if (release) await this.#say(release);
      return result;
    } catch (error) {
      await this.#settled();
      await this.#undo(undo, release);
      throw error;
    }
  }

  /** Goes back to the savepoint; where that fails, all of the transaction has to be undone. */
  async #undo(undo: SavepointStep, release: SavepointStep | null): Promise<void> {
    try {
      await this.#say(undo);
      this.doubtful = false;
      if (release) await this.#say(release);
    } catch {
      // What can't be undone alone must not be committed: the outer one sees the session's state.
      this.#open.spoiled = true;
    }
  }

  #say({ text, call }: SavepointStep): Promise<NativeResult> {
    return this.#open.run(layerStatement(text), this.#open.wordDeadline(), this, call);
  }

  /** Ends what the callback left open, and waits for what it started and did not await. */
  async #settled(): Promise<void> {
    await endOpenStream(this.#open.lease.session);
    while (!this.#gate.isFree) await this.#gate.pass(this.#open.settings.deadline);
    await this.#open.drained();
  }

  #refuseNeighbour(shown: string): void {
    if (this.#open.settings.strictConcurrency && !this.#gate.isFree) {
      throw busyError('a nested transaction', shown);
    }
  }

  #check(): void {
    if (this.#ended) throw endedError(this.#open.endedBy);
    this.#open.check();
  }
}
