import type {
  DriverConnection,
  DriverVersion,
  LoadBatch,
  LoadTarget,
  NativeResult,
  NativeStatement,
  ServerCapacity,
  ServerRole,
  SessionStatus,
  StatementCacheStats,
} from '@dal/core';
import { Cancels } from './cancels.ts';
import { noteError } from './error-notes.ts';
import { type Flavor, versionFromGreeting } from './flavor.ts';
import { goodbye } from './goodbye.ts';
import { killSession } from './kill-session.ts';
import type { RowSink } from './execution.ts';
import {
  type Answered,
  closedError,
  type Command,
  type Connection,
  type LibraryText,
  libraryText,
  libraryVersion,
  type Line,
  writtenText,
} from './line.ts';
import { isForbidden, loadRows } from './load-rows.ts';
import type { MysqlOptions } from './mysql-options.ts';
import { executedResult, libraryResult, nativeResult, NO_READERS } from './native-result.ts';
import type { OpenLine } from './open-line.ts';
import { readCapacity } from './read-capacity.ts';
import { runMany, stoppedError } from './run-many.ts';
import { limitText } from './server-limit.ts';
import { readRole } from './read-role.ts';
import { notUtf8, SessionStatements } from './session-statements.ts';
import { readCommand, streamRows, streamText } from './stream-rows.ts';

/** One session with a MySQL or MariaDB server. */
export class MysqlConnection implements DriverConnection<Connection> {
  readonly #line: Line;
  readonly #open: OpenLine;
  readonly #options: MysqlOptions;
  readonly #statements: SessionStatements;
  readonly #lost: (error: unknown) => void;
  /** False until the session was handed out, and again when its end was asked for. */
  #tellsLoss = false;
  readonly #cancels: Cancels;
  #closing: Promise<void> | undefined;
  /** Ends what runs in several statements. */
  #stop: ((error: Error) => void) | undefined;
  /** LOAD DATA LOCAL, where the options and the server allow it. */
  load?: (target: LoadTarget, batches: AsyncIterable<LoadBatch>) => Promise<number>;

  constructor(open: OpenLine, options: MysqlOptions, lost: (error: unknown) => void) {
    this.#line = open.line;
    this.#open = open;
    this.#options = options;
    this.#statements = new SessionStatements(
      open.line,
      options,
      options.preparedStatements,
      open.flavor,
    );
    this.#cancels = new Cancels(open.line, options);
    this.#lost = lost;
    if (options.localInfile) this.load = (target, batches) => this.#load(target, batches);
    this.#line.onEnd = (error) => {
      if (!this.#tellsLoss) return;
      this.#tellsLoss = false;
      this.#lost(this.#note(error));
    };
  }

  get system(): Flavor {
    return this.#open.flavor;
  }

  get id(): string {
    return String(this.#line.threadId);
  }

  get raw(): Connection {
    return this.#line.raw;
  }

  /** From now on the end of the line is a loss. */
  opened(): void {
    if (this.#line.ended) throw new Error('The session ended while it was set up.');
    this.#tellsLoss = true;
  }

  query(statement: NativeStatement): Promise<NativeResult> {
    if (this.#line.ended) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      if (statement.mapping === 'library') return this.#queryAsLibrary(statement, resolve, reject);
      // Values go in the binary protocol, in which they never become part of a text. Statements
      // without values need no round trip to prepare them, and some can't be prepared at all.
      if (statement.values.length === 0) this.#queryText(statement, resolve, reject);
      else {
        this.#statements.run(statement, (error, executed) => {
          if (executed === undefined) this.#fail(error as Error, reject);
          else resolve(executedResult(executed));
        });
      }
    });
  }

  stream(statement: NativeStatement, batchSize: number): AsyncIterable<unknown[]> {
    return streamRows(
      {
        line: this.#line,
        start: (sink, ended) => {
          if (statement.mapping === 'library') return this.#streamAsLibrary(statement, sink, ended);
          // The binary protocol is read faster, which pays for the preparation.
          if (statement.values.length > 0 || reads.test(statement.text)) {
            this.#statements.run(statement, ended, sink);
          } else streamText(this.#line, statement, this.#options, sink, ended);
        },
        failed: (error) => new Promise((_, reject) => this.#fail(error, reject)),
        cancel: () => this.cancel(),
        destroy: () => this.destroy(),
      },
      batchSize,
    );
  }

  /** One after the other: a pipeline would go on in autocommit behind a deadlock. */
  queryMany(
    statement: Omit<NativeStatement, 'values'>,
    rows: readonly (readonly unknown[])[],
  ): Promise<NativeResult> {
    if (this.#line.ended) return Promise.reject(closedError());
    return this.#stoppable((whenStopped) =>
      runMany(this.#statements, statement, rows, whenStopped).catch(
        (error: Error) => new Promise<never>((_, reject) => this.#fail(error, reject)),
      ),
    );
  }

  statements(): StatementCacheStats {
    return this.#statements.stats();
  }

  /**
   * Stops the running statement with KILL QUERY, over a connection of its own. MySQL's `SLEEP()` ends
   * early with 1 then, and without an error.
   */
  async cancel(): Promise<void> {
    this.#stop?.(stoppedError());
    await this.#cancels.cancel();
  }

  kill(id: string): Promise<void> {
    if (this.#line.ended) return Promise.reject(closedError());
    const { line, flavor } = this.#open;
    return this.#stoppable((onStop) => killSession({ line, flavor, onStop }, id)).catch(
      (error: unknown) => Promise.reject(this.#note(error)),
    );
  }

  /**
   * MySQL's `max_execution_time`, which is for SELECT alone, or MariaDB's `max_statement_time`, which
   * is for everything. A reset of the session takes it away.
   */
  async limit(timeoutMs: number): Promise<void> {
    await this.query({ text: limitText(this.#open.flavor, timeoutMs), values: NO_VALUES });
  }

  ping(): Promise<void> {
    return this.#call((answered) => this.#line.sendPing(answered));
  }

  /** Forgets what a user set: variables, temporary tables, locks, prepared statements. */
  async reset(): Promise<void> {
    await this.#call((answered) => this.#line.reset(answered));
    this.#statements.clear();
    await this.setUp();
  }

  status(): SessionStatus {
    return this.#line.inTransaction ? 'transaction' : 'idle';
  }

  version(): Promise<DriverVersion> {
    return Promise.resolve({
      serverVersion: versionFromGreeting(this.#open.greeting),
      flavor: this.#open.flavor,
      driver: 'mysql2',
      driverVersion: libraryVersion(),
    });
  }

  capacity(): Promise<ServerCapacity> {
    return readCapacity(
      async (text) => (await this.query({ text, values: NO_VALUES, rowMode: 'array' })).rows,
    );
  }

  role(): Promise<ServerRole> {
    return readRole(
      async (text) => (await this.query({ text, values: NO_VALUES, rowMode: 'array' })).rows,
    );
  }

  close(): Promise<void> {
    this.#tellsLoss = false;
    this.#closing ??= goodbye(this.#line).finally(() => this.destroy());
    return this.#closing;
  }

  destroy(): void {
    this.#tellsLoss = false;
    this.#cancels.drop();
    this.#line.drop();
  }

  /** Brings the session into the state that every statement may count on. */
  async setUp(): Promise<void> {
    // A reset brings the server's own character set back, so it is named here and not in the login only.
    await this.query({
      text: "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci, time_zone = '+00:00'",
      values: NO_VALUES,
    });
    if (this.#options.readOnly) {
      await this.query({ text: 'SET SESSION TRANSACTION READ ONLY', values: NO_VALUES });
    }
  }

  #call(send: (answered: (error?: Error | null) => void) => void): Promise<void> {
    if (this.#line.ended) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      send((error) => (error ? reject(this.#note(error)) : resolve()));
    });
  }

  async #load(target: LoadTarget, batches: AsyncIterable<LoadBatch>): Promise<number> {
    if (this.#line.ended) throw closedError();
    const ask = async (text: string): Promise<readonly unknown[]> =>
      (await this.query({ text, values: NO_VALUES })).rows;
    try {
      return await this.#stoppable((onStop) =>
        loadRows({ line: this.#line, ask, onStop }, target, batches),
      );
    } catch (error) {
      if (isForbidden(error)) delete this.load;
      const failed = new Promise<never>((_, reject) => this.#fail(error as Error, reject));
      return failed;
    }
  }

  /** For work of several statements, which a cancel must end between two of them as well. */
  async #stoppable<T>(
    work: (onStop: (stop: (error: Error) => void) => void) => Promise<T>,
  ): Promise<T> {
    try {
      return await work((stop) => (this.#stop = stop));
    } finally {
      this.#stop = undefined;
    }
  }

  #queryText(
    { text, rowMode }: NativeStatement,
    resolve: (result: NativeResult) => void,
    reject: (error: unknown) => void,
  ): void {
    this.#line.ask({ sql: text, rowsAsArray: rowMode === 'array' }, (error, rows, fields) => {
      if (error) return this.#fail(error, reject);
      try {
        resolve(nativeResult(this.#line, rows, fields, this.#options));
      } catch (problem) {
        reject(problem);
      }
    });
  }

  /** With the same choice of protocol as ever, but mysql2 reads the answer. */
  #queryAsLibrary(
    statement: NativeStatement,
    resolve: (result: NativeResult) => void,
    reject: (error: unknown) => void,
  ): void {
    const answered: Answered = (error, rows, fields) => {
      if (error) this.#fail(error, reject);
      else resolve(libraryResult(this.#line, rows, fields));
    };
    if (goesAsText(statement)) this.#line.askAsLibrary(this.#textOf(statement), answered);
    else this.#statements.runAsLibrary(statement, answered);
  }

  #streamAsLibrary(
    statement: NativeStatement,
    sink: RowSink,
    ended: (error: Error | null) => void,
  ): void {
    const read = (command: Command, done: (error: Error | null) => void): void =>
      readCommand(this.#line, command, () => NO_READERS, sink, done);
    if (goesAsText(statement)) read(this.#line.askAsLibrary(this.#textOf(statement)), ended);
    else this.#statements.runAsLibrary(statement, ended, read);
  }

  /** @throws ConfigError when a text with values in it would be read in other characters */
  #textOf(statement: NativeStatement): LibraryText {
    if (statement.values.length === 0) return libraryText(statement);
    if (!this.#line.speaksUtf8) throw notUtf8();
    return writtenText(statement);
  }

  #fail(error: Error, reject: (error: unknown) => void): void {
    this.#note(error);
    const { errno } = error as { errno?: number };
    if (this.#line.ended || !this.#line.inTransaction || errno === undefined || errno < 0) {
      reject(error);
      return;
    }
    // An error carries no status, and some (deadlock) end the transaction without a word: ask.
    this.#line.sendPing(() => reject(error));
  }

  #note<E>(error: E): E {
    return noteError(error, { phase: 'session', flavor: this.#open.flavor });
  }
}

/** Values are part of the text only for programs that ask for what mysql2's `query` does. */
function goesAsText({ values, libraryOptions }: NativeStatement): boolean {
  return values.length === 0 || libraryOptions?.['queryMode'] === 'text';
}

/** Can always be prepared. */
const reads = /^\s*(?:SELECT|WITH|TABLE|VALUES)\b/i;

const NO_VALUES: readonly unknown[] = [];
