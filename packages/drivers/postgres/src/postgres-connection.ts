import type { Socket } from 'node:net';
import {
  type DriverConnection,
  type DriverVersion,
  type LoadBatch,
  type LoadTarget,
  type NativeResult,
  type NativeStatement,
  type ServerCapacity,
  type ServerRole,
  type SessionStatus,
  type StatementCacheStats,
  type TransactionOutcome,
} from '@dal/core';
import { AskingRun } from './asking-run.ts';
import { BatchRun } from './batch-run.ts';
import { requestCancel } from './cancel-request.ts';
import { copyChunks } from './copy-chunks.ts';
import { CopyInRun } from './copy-in-run.ts';
import { CopyOutRun } from './copy-out-run.ts';
import { openOrCreate } from './create-database.ts';
import { type Ask, endSession } from './end-session.ts';
import { loadRows } from './load-rows.ts';
import { ManyRun } from './many-run.ts';
import type { OpenSession } from './open-session.ts';
import type { PgClient, PgNotice, SessionClient } from './pg-client.ts';
import { isUnconfirmedCommit, markEnding } from './postgres-faults.ts';
import type { PostgresOptions } from './postgres-options.ts';
import { postgresTypes } from './postgres-types.ts';
import { PreparedStatements } from './prepared-statements.ts';
import { readCapacity } from './read-capacity.ts';
import { readRole } from './read-role.ts';
import { readVersion } from './read-version.ts';
import { ended, interrupted, refused } from './session-errors.ts';
import { SimpleRun, wantsSimple } from './simple-run.ts';
import type { StatementContext, StatementRun } from './statement-run.ts';
import { TransactionNaming } from './transaction-naming.ts';
import { WholeRun } from './whole-run.ts';

/** How long the server may take over our goodbye. */
const CLOSE_TIMEOUT_MS = 2_000;
/** The server counts in 32 bits. */
const MAX_LIMIT_MS = 2_147_483_647;

/** A lower limit, which an administrator has set for the role or the database, stays. */
function limitText(ms: number): string {
  if (ms === 0) return 'RESET statement_timeout';
  return `SELECT set_config('statement_timeout', CASE WHEN reset_val::int BETWEEN 1 AND ${ms} THEN reset_val ELSE '${ms}' END, false) FROM pg_catalog.pg_settings WHERE name = 'statement_timeout'`;
}

/** Opens one session. `lost` is called once, when it ends without having been asked to. */
export async function connectPostgres(
  options: PostgresOptions,
  lost: (error: unknown) => void,
  signal?: AbortSignal,
): Promise<PostgresConnection> {
  const types = postgresTypes(options.values);
  const session = await openOrCreate(options, types, signal);
  const isDirect = options.pooler === 'none';
  const prepared = new PreparedStatements(isDirect ? options.preparedStatements : 0);
  return new PostgresConnection(session, { types, prepared, isDirect }, options, lost);
}

/** One session, on one client of `pg`. */
export class PostgresConnection implements DriverConnection<PgClient> {
  readonly raw: PgClient;
  /** Not through a pooler, where the number of the process is made up, and a setting is another's. */
  readonly id?: string;
  readonly kill?: (id: string) => Promise<void>;
  readonly limit?: (timeoutMs: number) => Promise<void>;
  readonly capacity?: () => Promise<ServerCapacity>;
  readonly #client: SessionClient;
  readonly #stream: Socket;
  readonly #target: OpenSession['target'];
  readonly #context: StatementContext;
  readonly #options: PostgresOptions;
  readonly #lost: (error: unknown) => void;
  readonly #naming: TransactionNaming;
  /** The lines of cancels under way; none of them outlives the session. */
  readonly #cancels = new Set<Socket>();
  #running: StatementRun | undefined;
  /** Why nothing can be sent any more. */
  #over: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    { client, target, onError }: OpenSession,
    context: StatementContext,
    options: PostgresOptions,
    lost: (error: unknown) => void,
  ) {
    this.raw = client;
    this.#client = client;
    this.#stream = client.line.stream;
    this.#target = target;
    this.#context = context;
    this.#options = options;
    this.#lost = lost;
    this.#naming = new TransactionNaming(this, this.#ask, options);
    onError((error) => this.#onEnd(error));
    this.#stream.once('close', () => this.#onEnd(undefined));
    if (context.isDirect) {
      this.id = String(client.backend.processID);
      this.kill = (id) => endSession(this.#ask, id);
      this.limit = (timeoutMs) => this.#limit(timeoutMs);
      this.capacity = () => readCapacity(this.#ask);
    }
    client.line
      .on('bindComplete', () => {
        if (this.#running) this.#running.isBound = true;
      })
      .on('notice', (notice: PgNotice) => {
        if (this.#running && isUnconfirmedCommit(notice)) this.#running.isUnconfirmed = true;
      })
      .on('readyForQuery', () => this.#onReady());
    if (this.#stream.destroyed) this.#onEnd(undefined);
  }

  query(statement: NativeStatement): Promise<NativeResult> {
    if (this.#naming.mustLearn(statement)) return this.#learnThen(statement);
    return new Promise((resolve, reject) => {
      this.#start(this.#wholeRun(statement, resolve, reject));
    });
  }

  async queryMany(
    statement: Omit<NativeStatement, 'values'>,
    rows: readonly (readonly unknown[])[],
  ): Promise<NativeResult> {
    let affectedRows = 0;
    let command = '';
    for (let at = 0; at < rows.length;) {
      const start = at;
      const run = await new Promise<ManyRun>((resolve, reject) => {
        this.#start(new ManyRun(statement, rows, start, this.#context, resolve, reject));
      });
      ({ nextRow: at, command } = run);
      affectedRows += run.affectedRows;
      if (run.isInterrupted && at < rows.length) throw interrupted();
    }
    return { rows: [], columns: [], affectedRows, ...(command === '' ? {} : { command }) };
  }

  async *stream(
    statement: NativeStatement,
    batchSize: number,
  ): AsyncGenerator<unknown[], void, undefined> {
    const run = new BatchRun(statement, this.#context, batchSize);
    this.#start(run);
    try {
      for (;;) {
        const rows = await run.next();
        // Asked before the rows are handed out: meanwhile the session may end, which is no good end.
        const isLast = run.settled;
        if (rows.length > 0) yield rows;
        if (isLast) return;
      }
    } finally {
      await run.leave();
    }
  }

  load(target: LoadTarget, batches: AsyncIterable<LoadBatch>): Promise<number> {
    const session = {
      query: (statement: NativeStatement) => this.query(statement),
      copyIn: (text: string, chunks: AsyncGenerator<Buffer>) => this.#copyIn(text, chunks),
    };
    return loadRows(session, target, batches);
  }

  /** `COPY ... FROM STDIN`, see `copyFrom`. */
  copyFrom(text: string, pieces: AsyncIterable<string | Uint8Array>): Promise<NativeResult> {
    return this.#copyIn(text, copyChunks(pieces));
  }

  /** `COPY ... TO STDOUT`, see `copyTo`. */
  async *copyTo(text: string): AsyncGenerator<Buffer, void, undefined> {
    const standsAlone = this.status() === 'idle';
    const run = new CopyOutRun({ text, values: [] }, this.#context);
    this.#start(run);
    try {
      for (let chunk = await run.next(); chunk !== undefined; chunk = await run.next()) yield chunk;
    } finally {
      // A transaction would not survive the cancel: there the rest is read and dropped.
      if (!run.settled && standsAlone) await Promise.all([run.leave(), this.cancel()]);
      else await run.leave();
    }
  }

  status(): SessionStatus {
    const word = this.#client.getTransactionStatus();
    if (word === 'T') return 'transaction';
    return word === 'E' ? 'failed' : 'idle';
  }

  async reset(): Promise<void> {
    if (this.status() !== 'idle') await this.query({ text: 'ROLLBACK', values: [] });
    // A pooler shares its sessions: what would be discarded may be another client's.
    if (this.#options.pooler === 'transaction') return;
    await this.query({ text: 'DISCARD ALL', values: [] });
    this.#context.prepared.clear();
    this.#client.line.parsedStatements = {};
  }

  async cancel(): Promise<void> {
    if (this.#over) return;
    this.#running?.interrupt();
    await requestCancel(this.#target, this.#client.backend, (socket) => {
      this.#cancels.add(socket);
      socket.once('close', () => this.#cancels.delete(socket));
    });
  }

  statements(): StatementCacheStats {
    return this.#context.prepared.stats();
  }

  outcome(transactionId: string): Promise<TransactionOutcome> {
    return this.#naming.outcome(transactionId);
  }

  role(): Promise<ServerRole> {
    return readRole(this.#ask, () => this.#over !== undefined);
  }

  version(): Promise<DriverVersion> {
    return readVersion(this.#ask);
  }

  close(): Promise<void> {
    this.#closing ??= this.#sayGoodbye();
    return this.#closing;
  }

  destroy(): void {
    this.#over ??= ended('The connection was destroyed.', 'unknown');
    for (const socket of this.#cancels) socket.destroy();
    this.#stream.destroy();
    this.#running?.end(this.#over);
    this.#running = undefined;
  }

  #sayGoodbye(): Promise<void> {
    this.#over ??= ended('The connection was closed.', 'unknown');
    if (this.#stream.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.destroy(), CLOSE_TIMEOUT_MS);
      this.#stream.once('close', () => {
        clearTimeout(timer);
        this.destroy();
        resolve();
      });
      this.#client.end(() => undefined);
    });
  }

  async #copyIn(text: string, chunks: AsyncGenerator<Buffer>): Promise<NativeResult> {
    const run = new CopyInRun({ text, values: [] }, this.#context);
    this.#start(run);
    return run.send(chunks);
  }

  #wholeRun(
    statement: NativeStatement,
    resolve: (result: NativeResult) => void,
    reject: (error: unknown) => void,
  ): WholeRun {
    if (wantsSimple(statement)) return new SimpleRun(statement, this.#context, resolve, reject);
    return statement.askTransaction === true && this.#naming.mayAsk()
      ? new AskingRun(statement, this.#context, resolve, reject).remember(this.#naming.ids())
      : new WholeRun(statement, this.#context, resolve, reject);
  }

  #start(run: StatementRun): void {
    if (this.#over) {
      run.end(refused(this.#over));
      return;
    }
    this.#running = run;
    this.#client.run(run);
  }

  readonly #ask: Ask = async (text, values = []) =>
    (await this.query({ text, values, rowMode: 'array' })).rows;

  async #learnThen(statement: NativeStatement): Promise<NativeResult> {
    await this.#naming.learn();
    return this.query(statement);
  }

  async #limit(timeoutMs: number): Promise<void> {
    const whole = Math.ceil(Math.min(Math.max(timeoutMs, 0), MAX_LIMIT_MS));
    await this.query({ text: limitText(whole), values: [] });
  }

  /** `pg` forgets a statement at its error; the session is ready only with this message. */
  #onReady(): void {
    const run = this.#running;
    if (run === undefined) return;
    if (run.failure !== undefined && !run.settled) {
      const next = run instanceof WholeRun && this.status() === 'idle' ? run.again() : undefined;
      if (next !== undefined) {
        this.#start(next);
        return;
      }
      run.finish();
    }
    if (run.settled && this.#running === run) this.#running = undefined;
  }

  /** The session ended; `reason` is undefined when its socket only closed. */
  #onEnd(reason: unknown): void {
    if (this.#over) {
      this.#running?.end(this.#over);
      return;
    }
    const error =
      reason instanceof Error ? reason : new Error('Connection terminated unexpectedly');
    this.#over = error;
    // Whatever it was, also what the reader of pg threw: this session ended of it.
    markEnding(error);
    for (const socket of this.#cancels) socket.destroy();
    this.#stream.destroy();
    const run = this.#running;
    this.#running = undefined;
    // The server's own words say more than the end of the line that follows them.
    const cause = run?.settled === false ? (run.failure ?? error) : error;
    run?.end(error);
    this.#lost(cause);
  }
}
