import type {
  DriverConnection,
  DriverVersion,
  NativeResult,
  NativeStatement,
  SessionStatus,
} from '@dal/core';
import { noteError } from './error-notes.ts';
import { versionFromGreeting } from './flavor.ts';
import {
  closedError,
  type CommandText,
  type Connection,
  libraryVersion,
  type Line,
} from './line.ts';
import { nativeResult } from './native-result.ts';
import type { MysqlOptions } from './mysql-options.ts';
import { encodeValue } from './mysql-types.ts';
import { connectTimedOut, openLine, type OpenLine } from './open-line.ts';
import { streamRows } from './stream-rows.ts';

/** How long a goodbye may take before the socket is dropped. */
const CLOSE_MS = 2_000;

/** Opens a session in UTC, within `connectTimeoutMs` for everything together. */
export async function openConnection(
  options: MysqlOptions,
  lost: (error: unknown) => void,
): Promise<MysqlConnection> {
  const endsAt = performance.now() + options.connectTimeoutMs;
  const open = await openLine(options, endsAt);
  const connection = new MysqlConnection(open, options, lost);
  const timer = setTimeout(() => connection.destroy(), Math.max(0, endsAt - performance.now()));
  try {
    await connection.setUp();
    connection.opened();
    return connection;
  } catch (error) {
    connection.destroy();
    if (performance.now() >= endsAt) throw connectTimedOut(options);
    throw noteError(error, { phase: 'connect', flavor: open.flavor });
  } finally {
    clearTimeout(timer);
  }
}

/** One session with a MySQL or MariaDB server. */
export class MysqlConnection implements DriverConnection<Connection> {
  readonly #line: Line;
  readonly #open: OpenLine;
  readonly #options: MysqlOptions;
  readonly #lost: (error: unknown) => void;
  /** False until the session was handed out, and again when its end was asked for. */
  #tellsLoss = false;
  /** Lines of cancels under way; they end with the session. */
  readonly #cancels = new Set<Line>();
  #closing: Promise<void> | undefined;

  constructor(open: OpenLine, options: MysqlOptions, lost: (error: unknown) => void) {
    this.#line = open.line;
    this.#open = open;
    this.#options = options;
    this.#lost = lost;
    this.#line.onEnd = (error) => {
      if (!this.#tellsLoss) return;
      this.#tellsLoss = false;
      this.#lost(this.#note(error));
    };
  }

  get raw(): Connection {
    return this.#line.raw;
  }

  /** From now on the end of the line is a loss. */
  opened(): void {
    if (this.#line.ended) throw new Error('The session ended while it was set up.');
    this.#tellsLoss = true;
  }

  query({ text, values, rowMode }: NativeStatement): Promise<NativeResult> {
    if (this.#line.ended) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      const answered = (error: Error | null, rows?: unknown, fields?: unknown): void => {
        if (error) return this.#fail(error, command, reject);
        try {
          resolve(nativeResult(this.#line, rows, fields, this.#options));
        } catch (problem) {
          reject(problem);
        }
      };
      const command: CommandText = {
        sql: text,
        values: values.length === 0 ? NO_VALUES : values.map(encodeValue),
        rowsAsArray: rowMode === 'array',
      };
      // Values go in the binary protocol, in which they never become part of a text. Statements
      // without values need no round trip to prepare them, and some can't be prepared at all.
      if (values.length === 0) this.#line.query(command, answered);
      else this.#line.execute(command, answered);
    });
  }

  stream({ text, values, rowMode }: NativeStatement, batchSize: number): AsyncIterable<unknown[]> {
    const command: CommandText = {
      sql: text,
      values: values.length === 0 ? NO_VALUES : values.map(encodeValue),
      rowsAsArray: rowMode === 'array',
    };
    return streamRows(
      {
        line: this.#line,
        start: () =>
          values.length === 0 ? this.#line.query(command) : this.#line.execute(command),
        failed: (error) => new Promise((_, reject) => this.#fail(error, command, reject)),
        cancel: () => this.cancel(),
        destroy: () => this.destroy(),
        options: this.#options,
        rowsAsArray: command.rowsAsArray,
      },
      batchSize,
    );
  }

  /**
   * Stops the running statement with KILL QUERY, over a connection of its own. MySQL's `SLEEP()` ends
   * early with 1 then, and without an error.
   */
  async cancel(): Promise<void> {
    const endsAt = performance.now() + this.#options.connectTimeoutMs;
    let own: Line | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      const { line } = await openLine(this.#options, endsAt, (born) => {
        if (own) this.#cancels.delete(own);
        own = born;
        this.#cancels.add(born);
        if (this.#line.ended) born.drop();
      });
      timer = setTimeout(() => line.drop(), Math.max(0, endsAt - performance.now()));
      if (!this.#line.ended) await killQuery(line, this.#line.threadId);
      // The kill has arrived; only when the server has closed this line too, nothing of it is left.
      await goodbye(line);
    } finally {
      clearTimeout(timer);
      own?.drop();
      if (own) this.#cancels.delete(own);
    }
  }

  ping(): Promise<void> {
    return this.#call((answered) => this.#line.sendPing(answered));
  }

  /** Forgets what a user set: variables, temporary tables, locks, prepared statements. */
  async reset(): Promise<void> {
    await this.#call((answered) => this.#line.reset(answered));
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

  close(): Promise<void> {
    this.#tellsLoss = false;
    this.#closing ??= goodbye(this.#line).finally(() => this.destroy());
    return this.#closing;
  }

  destroy(): void {
    this.#tellsLoss = false;
    for (const line of this.#cancels) line.drop();
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

  #fail(error: Error, command: CommandText, reject: (error: unknown) => void): void {
    this.#note(error);
    const { errno } = error as { errno?: number };
    // The server no longer knows the prepared statement, or not in this shape: prepare it anew next time.
    if (errno === 1243 || errno === 1615) this.#line.unprepare(command);
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

const NO_VALUES: readonly unknown[] = [];

function killQuery(line: Line, threadId: number): Promise<void> {
  return new Promise((resolve, reject) => {
    line.query({ sql: `KILL QUERY ${threadId}`, rowsAsArray: false }, (error) => {
      // 1094: no such thread. The session is gone, so its statement does not run either.
      if (!error || (error as { errno?: number }).errno === 1094) resolve();
      else reject(error);
    });
  });
}

/** Sends COM_QUIT and waits until the server has closed the line; drops it when that takes too long. */
function goodbye(line: Line): Promise<void> {
  return new Promise((resolve) => {
    if (line.socket.closed) return resolve();
    const timer = setTimeout(() => line.drop(), CLOSE_MS);
    line.socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    if (line.ended) line.drop();
    else line.end();
  });
}
