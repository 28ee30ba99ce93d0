import {
  type BeginOptions,
  type Connection,
  type Deadline,
  deadlineAfter,
  type DriverVersion,
  type NativeResult,
  PoolError,
  type StatementOptions,
  type StreamOptions,
  type Transaction,
} from '@dal/core';
import { type Lease, statusOf } from '@dal/pool';
import { beginTransaction, commitTransaction, rollbackTransaction } from './begin-transaction.ts';
import type { CompiledStatement } from './compile-statement.ts';
import { runOnLease } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { StatementMethods } from './statement-methods.ts';
import { streamOnLease } from './stream-statement.ts';
import { transactionOnLease } from './transaction.ts';
import { readVersion } from './read-version.ts';

/** The handle of one loan. Once it was given back, every call throws and nothing is sent. */
export class LentConnection extends StatementMethods implements Connection {
  readonly #lease: Lease;

  constructor(runtime: Runtime, lease: Lease) {
    super(runtime);
    this.#lease = lease;
  }

  get raw(): unknown {
    this.#check();
    // Whatever is done with it can't be seen from here.
    this.#lease.session.dirty = true;
    return this.#lease.session.connection.raw;
  }

  get inTransaction(): boolean {
    this.#check();
    return statusOf(this.#lease.session) !== 'idle';
  }

  async begin(options: BeginOptions = {}): Promise<void> {
    this.#check();
    await beginTransaction(this.runtime, this.#lease, options, this.deadline(undefined));
  }

  async commit(): Promise<void> {
    this.#check();
    const wasFailed = statusOf(this.#lease.session) === 'failed';
    const command = await commitTransaction(this.runtime, this.#lease, this.deadline(undefined));
    if (wasFailed || (command !== undefined && command !== 'COMMIT')) {
      throw new PoolError(
        'The server rolled the transaction back instead of committing it: one of its statements had failed.',
        { kind: 'usage', code: 'DAL_TRANSACTION_ABORTED' },
      );
    }
  }

  async rollback(): Promise<void> {
    this.#check();
    await rollbackTransaction(this.runtime, this.#lease, this.deadline(undefined));
  }

  async transaction<T>(
    callback: (tx: Transaction) => Promise<T>,
    options: BeginOptions = {},
  ): Promise<T> {
    this.#check();
    return transactionOnLease(
      this.runtime,
      this.#lease,
      callback,
      options,
      deadlineAfter(Infinity),
    );
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
    const cleaning = this.runtime.pool.release(this.#lease);
    if (cleaning) await cleaning;
  }

  destroy(): Promise<void> {
    this.#check();
    this.runtime.pool.discard(this.#lease);
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#lease.ended) await this.release();
  }

  protected async run(
    statement: CompiledStatement,
    deadline: Deadline,
    options: StatementOptions | undefined,
  ): Promise<NativeResult> {
    this.#check();
    if (options?.tags) this.#lease.tags = options.tags;
    return runOnLease(this.runtime, this.#lease, statement, deadline);
  }

  protected streamRows(
    statement: CompiledStatement,
    batchSize: number,
    options: StreamOptions | undefined,
  ): AsyncIterable<unknown[]> {
    this.#check();
    return streamOnLease(this.runtime, this.#lease, statement, batchSize, options);
  }

  protected async allOrNothing<T>(
    _deadline: Deadline,
    work: (on: StatementMethods) => Promise<T>,
  ): Promise<T> {
    // Joins the transaction that the user opened; opens one otherwise.
    if (this.inTransaction) return work(this);
    return this.transaction(() => work(this));
  }

  #check(): void {
    if (!this.#lease.ended) return;
    throw new PoolError(
      'This connection was given back already; nothing was sent. Acquire another one.',
      { kind: 'usage', code: 'DAL_USE_AFTER_RELEASE' },
    );
  }
}
