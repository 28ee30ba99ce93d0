import { EventEmitter } from 'node:events';
import { type Connection, type Database, dalErrorOf, libraryError } from '@dal/core';
import { type Client, pgLibrary, type QueryResult, type Submittable } from './pg-library.ts';
import { callbackOf, isSubmittable, type QueryDefaults, readQuery } from './pg-query.ts';
import { answer, runOnConnection } from './run-query.ts';

/** What the session tells at any time; heard by the client of `pg` underneath. */
const TOLD = new Set<string | symbol>(['notification', 'notice']);

/**
 * Looks like a client of `pg`, and is a connection of the database that is lent for as long as the
 * client lives. A lost connection is told by the query that meets it; `error` is emitted beside that
 * only when somebody listens.
 */
export class PgClient extends EventEmitter {
  /** What `pg` has the protocol's messages in; there are none to be heard here. */
  readonly connection: EventEmitter = new EventEmitter();
  readonly #db: Database;
  readonly #defaults: QueryDefaults;
  readonly #followed = new Map<string | symbol, () => void>();
  #connection: Connection | undefined;
  #connecting: Promise<void> | undefined;
  #ended = false;
  /** Of a pool's clients. */
  declare release: (error?: Error | boolean) => void;

  constructor(db: Database, defaults: QueryDefaults = {}, connection?: Connection) {
    super();
    this.#db = db;
    this.#defaults = defaults;
    this.#connection = connection;
    this.on('newListener', (event) => this.#follow(event));
  }

  connect(callback?: (error: unknown) => void): Promise<void> | undefined {
    if (this.#connecting || this.#connection) return answer(refuseSecondConnect(), callback);
    this.#connecting = this.#connect();
    return answer(this.#connecting, callback);
  }

  query(
    query: unknown,
    values?: unknown,
    callback?: unknown,
  ): Promise<QueryResult> | Submittable | undefined {
    if (query === null || query === undefined) {
      throw new TypeError('Client was passed a null or undefined query');
    }
    if (isSubmittable(query)) return this.#submit(query, values, callback);
    return answer(this.#query(query, values), callbackOf(query, values, callback));
  }

  /** Ends the session instead of keeping it for others. */
  end(callback?: (error?: unknown) => void): Promise<void> | undefined {
    return answer(this.#give(true), callback);
  }

  /** Gives the connection back; with an error, or true, its session is ended. */
  giveBack(error?: unknown): Promise<void> {
    return this.#give(Boolean(error));
  }

  escapeIdentifier(name: string): string {
    return pgLibrary().escapeIdentifier(name);
  }

  escapeLiteral(text: string): string {
    return pgLibrary().escapeLiteral(text);
  }

  /** The server's number of the session. */
  get processID(): number | undefined {
    return (this.#connection?.raw as { processID?: number } | undefined)?.processID;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  async #connect(): Promise<void> {
    try {
      this.#connection = await this.#db.acquire();
    } catch (error) {
      throw libraryError(error);
    }
    for (const event of this.eventNames()) this.#follow(event);
  }

  async #query(query: unknown, values: unknown): Promise<QueryResult> {
    const asked = readQuery(query, values, this.#defaults);
    // As in `pg`, what is asked early waits.
    if (this.#connection === undefined) await this.#connecting;
    try {
      return await runOnConnection(this.#lent(), asked);
    } catch (error) {
      const isLost = dalErrorOf(error)?.fault?.connectionLost === true;
      if (isLost && this.listenerCount('error') > 0) this.emit('error', error);
      throw error;
    }
  }

  /** Cursors and the like speak with the session themselves; their time is not watched. */
  #submit(query: Submittable, values: unknown, callback: unknown): Submittable {
    const raw = this.#lent().raw as Client;
    const { _result: result } = query as { _result?: { _types?: unknown } };
    if (result) result._types ??= this.#defaults.types ?? pgLibrary().types;
    return (raw.query as (...all: unknown[]) => Submittable)(query, values, callback);
  }

  #lent(): Connection {
    if (this.#connection && !this.#ended) return this.#connection;
    throw new Error(
      this.#ended ? 'Client was closed and is not queryable' : 'Client is not connected',
    );
  }

  #follow(event: string | symbol): void {
    if (!TOLD.has(event) || this.#followed.has(event)) return;
    if (this.#connection === undefined || this.#ended) return;
    // A session whose client somebody had is reset afterwards, which also ends its LISTEN.
    const raw = this.#connection.raw as EventEmitter;
    const forward = (...told: unknown[]): boolean => this.emit(event, ...told);
    raw.on(event, forward);
    this.#followed.set(event, () => raw.off(event, forward));
  }

  async #give(ends: boolean): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    // Whoever called `connect` is told when it fails.
    if (this.#connecting) await this.#connecting.catch(() => undefined);
    const connection = this.#connection;
    if (connection === undefined) return;
    for (const stop of this.#followed.values()) stop();
    try {
      await (ends ? connection.destroy() : connection.release());
    } catch (error) {
      throw libraryError(error);
    } finally {
      if (ends) this.emit('end');
    }
  }
}

async function refuseSecondConnect(): Promise<never> {
  throw new Error('Client has already been connected. You cannot reuse a client.');
}
