import type { Socket } from 'node:net';
import {
  ConnectionError,
  type DriverConnection,
  type DriverVersion,
  type NativeResult,
  type NativeStatement,
  type SessionStatus,
} from '@dal/core';
import { BatchRun } from './batch-run.ts';
import { requestCancel } from './cancel-request.ts';
import { openSession, type OpenSession } from './open-session.ts';
import { type PgClient, pgVersion, type SessionClient } from './pg-client.ts';
import { markEnding } from './postgres-faults.ts';
import type { PostgresOptions } from './postgres-options.ts';
import { postgresTypes } from './postgres-types.ts';
import { PreparedStatements } from './prepared-statements.ts';
import { type StatementContext, type StatementRun, WholeRun } from './statement-run.ts';

/** How long the server may take over our goodbye. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Opens one session. `lost` is called once, when it ends without having been asked to. */
export async function connectPostgres(
  options: PostgresOptions,
  lost: (error: unknown) => void,
): Promise<PostgresConnection> {
  const types = postgresTypes(options.values);
  const session = await openSession(options, types);
  const names = options.pooler === 'transaction' ? 0 : options.preparedStatements;
  const prepared = new PreparedStatements(names);
  return new PostgresConnection(session, { types, prepared }, options, lost);
}

/** One session, on one client of `pg`. */
export class PostgresConnection implements DriverConnection<PgClient> {
  readonly raw: PgClient;
  readonly #client: SessionClient;
  readonly #stream: Socket;
  readonly #target: OpenSession['target'];
  readonly #context: StatementContext;
  readonly #options: PostgresOptions;
  readonly #lost: (error: unknown) => void;
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
    onError((error) => this.#onEnd(error));
    this.#stream.once('close', () => this.#onEnd(undefined));
    // `pg` forgets a statement at its error; the session is ready only with this message.
    client.line.on('readyForQuery', () => {
      if (this.#running?.failure !== undefined) this.#running.finish();
      if (this.#running?.settled) this.#running = undefined;
    });
    if (this.#stream.destroyed) this.#onEnd(undefined);
  }

  query(statement: NativeStatement): Promise<NativeResult> {
    return new Promise((resolve, reject) => {
      this.#start(new WholeRun(statement, this.#context, resolve, reject));
    });
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
    await requestCancel(this.#target, this.#client.backend, (socket) => {
      this.#cancels.add(socket);
      socket.once('close', () => this.#cancels.delete(socket));
    });
  }

  async version(): Promise<DriverVersion> {
    const { rows } = await this.query({ text: 'SELECT version()', values: [], rowMode: 'array' });
    const [[said]] = rows as [[string]];
    const [product, serverVersion] = said.replace(/^(\w+) CCL v/, '$1 ').split(' ');
    const flavor = /cockroach/i.test(said)
      ? 'cockroachdb'
      : /-YB-/.test(said)
        ? 'yugabyte'
        : product;
    return {
      serverVersion: serverVersion ?? said,
      flavor: flavor === 'PostgreSQL' || flavor === undefined ? 'postgres' : flavor.toLowerCase(),
      driver: 'pg',
      driverVersion: pgVersion(),
    };
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

  #start(run: StatementRun): void {
    if (this.#over) {
      run.end(refused(this.#over));
      return;
    }
    this.#running = run;
    this.#client.run(run);
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

/** For a statement that came after the end. */
function refused(cause: Error): ConnectionError {
  return ended('The session had ended before the statement; nothing was sent.', 'no', cause);
}

function ended(message: string, applied: 'no' | 'unknown', cause?: Error): ConnectionError {
  return new ConnectionError(message, {
    code: 'DAL_CONNECTION',
    fault: { kind: 'connection', connectionLost: true, applied },
    ...(cause ? { cause } : {}),
  });
}
