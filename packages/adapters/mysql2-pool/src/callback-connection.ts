import { EventEmitter } from 'node:events';
import { type Connection, dalErrorOf, libraryError } from '@dal/core';
import {
  type Command,
  escaping,
  type LibrarySettings,
  type PoolConnection,
  promiseConnection,
  type QueryCallback,
  readCall,
} from './mysql2-library.ts';
import { type Protocol, runCommand } from './run-command.ts';

type Done = (error: unknown) => void;

/** A statement of `prepare`; the layer keeps what is worth it prepared on the server. */
export interface PreparedStatement {
  execute(values: unknown, callback?: QueryCallback): Command;
  close(): void;
}

/**
 * Looks like a connection of mysql2's pool, and is a connection of the database that is lent until
 * `release()`. A lost connection is told by the query that meets it; `error` is emitted beside that only
 * when somebody listens.
 */
export class CallbackConnection extends EventEmitter {
  readonly config: LibrarySettings & { readonly trace: false };
  /** As libraries look for a line that is gone. */
  readonly stream: { readonly destroyed: boolean };
  _closing = false;
  readonly #connecting: Promise<Connection>;
  #connection: Connection | undefined;

  /** Tells `connect` once it is connected, or `error`. */
  constructor(connecting: Promise<Connection>, settings: LibrarySettings) {
    super();
    this.#connecting = this.#connect(connecting);
    // Each call tells it.
    this.#connecting.catch(ignore);
    this.config = { timezone: 'local', ...settings, trace: false };
    const isGone = (): boolean => this._closing;
    this.stream = {
      get destroyed() {
        return isGone();
      },
    };
  }

  /** The server's number of the session. */
  get threadId(): number | undefined {
    return (this.#connection?.raw as { threadId: number } | undefined)?.threadId;
  }

  /** It connects by itself. */
  connect(callback?: Done): void {
    this.#connecting.then(
      () => process.nextTick(callback ?? ignore, null),
      (error: unknown) => process.nextTick(callback ?? ignore, error),
    );
  }

  query(sql: unknown, values?: unknown, callback?: unknown): Command {
    return this.#run(readCall(sql, values, callback, this.config), 'text');
  }

  /** @throws TypeError in mysql2's words, for values that can't be bound */
  execute(sql: unknown, values?: unknown, callback?: unknown): Command {
    const command = readCall(sql, values, callback, this.config);
    checkBound(command.values);
    return this.#run(command, 'binary');
  }

  prepare(
    statement: string | { readonly sql: string },
    callback: (error: unknown, prepared?: PreparedStatement) => void,
  ): void {
    process.nextTick(callback, null, {
      _connection: this,
      execute: (values: unknown, answered?: QueryCallback) =>
        this.execute(statement, values, answered),
      close: () => undefined,
    });
  }

  unprepare(): void {
    // The layer decides what stays prepared.
  }

  beginTransaction(callback?: Done): Command {
    return this.query('START TRANSACTION', callback);
  }

  commit(callback?: Done): Command {
    return this.query('COMMIT', callback);
  }

  rollback(callback?: Done): Command {
    return this.query('ROLLBACK', callback);
  }

  ping(callback?: Done): void {
    this.query('DO 0', (error: unknown) => callback?.(error));
  }

  /** The session as new; its next loan would find it so anyhow. */
  reset(callback?: Done): void {
    const reset = async (): Promise<void> => {
      const connection = await this.#connecting;
      await connection.native.run('reset', async (session) => {
        await session.reset?.();
        return { rows: [], columns: [], affectedRows: 0 };
      });
    };
    reset().then(
      () => process.nextTick(callback ?? ignore, null),
      (error: unknown) => process.nextTick(callback ?? ignore, libraryError(error)),
    );
  }

  release(): void {
    void this.#giveBack((connection) => connection.release());
  }

  /** Ends the session. */
  destroy(): void {
    void this.#giveBack((connection) => connection.destroy()).then(() => this.emit('end'));
  }

  close(): void {
    this.destroy();
  }

  /** Of a pooled connection it is the same as `release`. */
  end(callback?: Done): void {
    void this.#giveBack((connection) => connection.release()).then(() =>
      process.nextTick(callback ?? ignore, null),
    );
  }

  escape(value: unknown): string {
    return escaping.escape(value, this.config.stringifyObjects, this.config.timezone);
  }

  escapeId(name: string | string[]): string {
    return escaping.escapeId(name);
  }

  format(sql: string, values?: unknown): string {
    return escaping.format(sql, values, this.config.stringifyObjects, this.config.timezone);
  }

  promise(): PoolConnection {
    return promiseConnection(this);
  }

  async #connect(connecting: Promise<Connection>): Promise<Connection> {
    try {
      this.#connection = await connecting;
    } catch (thrown) {
      const error = libraryError(thrown);
      if (this.listenerCount('error') > 0) this.emit('error', error);
      throw error;
    }
    this.emit('connect');
    return this.#connection;
  }

  /** What goes wrong while it is put in order is the pool's business. */
  async #giveBack(back: (connection: Connection) => Promise<void>): Promise<void> {
    if (this._closing) return;
    this._closing = true;
    this.emit('released');
    await this.#connecting.then(back).catch(ignore);
  }

  #run(command: Command, protocol: Protocol): Command {
    const answered = command.onResult;
    if (answered) {
      command.onResult = (...answer) => {
        this.#noteLoss(answer[0]);
        answered(...answer);
      };
    }
    runCommand(this.#connecting, command, protocol, this.config);
    return command;
  }

  #noteLoss(error: unknown): void {
    const isLost = dalErrorOf(error)?.fault?.connectionLost === true;
    if (isLost && this.listenerCount('error') > 0) this.emit('error', error);
  }
}

function ignore(): void {
  // Nobody asked for the outcome, or somebody else is told.
}

/** @throws TypeError */
export function checkBound(values: unknown): void {
  if (values === undefined) return;
  if (!Array.isArray(values)) {
    throw new TypeError(
      'Bind parameters must be array if namedPlaceholders parameter is not enabled',
    );
  }
  for (const value of values as unknown[]) {
    if (value === undefined) {
      throw new TypeError(
        'Bind parameters must not contain undefined. To pass SQL NULL specify JS null',
      );
    }
    if (typeof value === 'function') {
      throw new TypeError(
        'Bind parameters must not contain function(s). To pass the body of a function as a string call .toString() first',
      );
    }
  }
}
