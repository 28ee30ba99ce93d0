import type { EventEmitter } from 'node:events';
import mysql from 'mysql2';
import type { Pool, PoolConnection } from 'mysql2/promise';
import promises from 'mysql2/promise';

/** The only file that names mysql2, whose ways of reading a call, of writing values and of promising stay. */
export type { Pool, PoolConnection };

/** The settings of a connection that say how statements are written and read. */
export interface LibrarySettings {
  readonly rowsAsArray?: boolean | undefined;
  readonly namedPlaceholders?: boolean | undefined;
  readonly nestTables?: boolean | string | undefined;
  readonly typeCast?: unknown;
  readonly dateStrings?: boolean | readonly string[] | undefined;
  readonly supportBigNumbers?: boolean | undefined;
  readonly bigNumberStrings?: boolean | undefined;
  readonly stringifyObjects?: boolean | undefined;
  readonly timezone?: string | undefined;
}

export type QueryCallback = (error: unknown, rows?: unknown, fields?: unknown) => void;

/** What a query or execution is to mysql2 before it runs: the call, taken apart. */
export interface Command extends EventEmitter {
  sql: string;
  values: unknown;
  namedPlaceholders: boolean | undefined;
  onResult: QueryCallback | undefined;
  readonly timeout: number | undefined;
  readonly _queryOptions: Readonly<Record<string, unknown>>;
  /** What its `stream()` holds back. */
  _connection: { pause(): void; resume(): void } | null;
}

/** The functions that write values and names into a text. */
export interface Escaping {
  escape(value: unknown, stringifyObjects?: boolean, timezone?: string): string;
  escapeId(name: string | readonly string[]): string;
  format(sql: string, values?: unknown, stringifyObjects?: boolean, timezone?: string): string;
}

interface Unlisted extends Escaping {
  createQuery(sql: unknown, values: unknown, callback: unknown, settings: object): Command;
  readonly Connection: {
    readonly prototype: { _resolveNamedPlaceholders(this: object, call: object): void };
  };
}

const { createQuery, Connection, escape, escapeId, format } = mysql as unknown as Unlisted;

export const escaping: Escaping = { escape, escapeId, format };

/** Reads `(sql, values, callback)` in all of mysql2's shapes. */
export function readCall(
  sql: unknown,
  values: unknown,
  callback: unknown,
  settings: LibrarySettings,
): Command {
  const command = createQuery(sql, values, callback, settings);
  const named = command as { namedPlaceholders: boolean | undefined };
  Connection.prototype._resolveNamedPlaceholders.call({ config: settings }, named);
  return command;
}

/** The module itself, of which `mysql2Module` takes what no connection is needed for. */
export const library: Readonly<Record<string, unknown>> = { ...mysql };

const { PromisePool, PromisePoolConnection } = promises as unknown as {
  readonly PromisePool: new (pool: EventEmitter) => Pool;
  readonly PromisePoolConnection: new (connection: EventEmitter) => PoolConnection;
};

/** mysql2's own promises around what looks like its pool. */
export function promisePool(pool: EventEmitter): Pool {
  return new PromisePool(pool);
}

export function promiseConnection(connection: EventEmitter): PoolConnection {
  return new PromisePoolConnection(connection);
}
