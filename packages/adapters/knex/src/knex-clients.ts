// The one place that knows Knex's package.
import knex, { type Knex } from 'knex';
import type { KnexConnection } from './knex-connection.ts';
import type { KnexStatement } from './statement.ts';

/** The class of a client, for `knex({ client })`. */
export type ClientClass = typeof Knex.Client;

export type ClientConfig = Readonly<Record<string, unknown>>;

/** What of Knex's clients is used here; its types leave most of it open. */
export interface BaseClient {
  version?: string | undefined;
  isMariaDB?: boolean;
  /** Such as `postgresql`. */
  readonly dialect: string;
  initializeDriver(): void;
  initializePool(): void;
  transaction(...how: unknown[]): object;
  acquireConnection(origin?: Error): Promise<KnexConnection>;
  releaseConnection(connection: KnexConnection): Promise<void>;
  cancelQuery(connection: KnexConnection): Promise<void>;
  _query(connection: KnexConnection, statement: KnexStatement): Promise<KnexStatement>;
  _stream(
    connection: KnexConnection,
    statement: KnexStatement,
    stream: NodeJS.WritableStream,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<void>;
  /** SQLite: what of JavaScript's values SQLite does not know. */
  _formatBindings?(bindings: readonly unknown[] | undefined): readonly unknown[];
  destroy(callback?: (error?: unknown) => void): Promise<void>;
  database(): string | undefined;
}

export type BaseClass = new (config: ClientConfig) => BaseClient;

/** Knex's own client of that name; its driver's package is not loaded, since nothing is to be connected. */
export function knexClient(name: string): BaseClass {
  const { client } = knex({ client: name, useNullAsDefault: true }) as { client: object };
  return client.constructor as BaseClass;
}
