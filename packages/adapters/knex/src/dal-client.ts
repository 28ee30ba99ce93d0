import { ConfigError, type Database, type DriverVersion } from '@dal/core';
import {
  type BaseClient,
  type ClientClass,
  type ClientConfig,
  knexClient,
} from './knex-clients.ts';
import { KnexConnection } from './knex-connection.ts';
import { pourRows } from './pour-rows.ts';
import { answerFor } from './responses.ts';
import type { KnexStatement } from './statement.ts';

export interface DalClientOptions {
  /** `knex.destroy()` leaves the database open, for others who use it. Default: it closes it. */
  readonly keepOpen?: boolean;
  /**
   * Knex's name of the client whose SQL is spoken, such as `mariadb` (which knows RETURNING) or
   * `cockroachdb`. Default: `pg`, `mysql2` or `better-sqlite3`, by the database.
   */
  readonly client?: string;
}

const clients: Readonly<Record<string, string>> = {
  mysql: 'mysql2',
  postgres: 'pg',
  sqlite: 'better-sqlite3',
};

/**
 * Knex over a DAL database: `knex({ client: dalClient(db) })`. There is no pool of Knex's, and its
 * driver is not loaded.
 *
 * @throws ConfigError `DAL_KNEX_CLIENT` when Knex has no client for the database's engine
 */
export function dalClient(db: Database, options: DalClientOptions = {}): ClientClass {
  const { keepOpen = false, client = clients[db.dialect.name] } = options;
  if (client === undefined) throw noClientError(db.dialect.name);
  const Base = knexClient(client);
  const namesHolders = db.pool.settings.acquireStacks !== 'never';
  let version: DriverVersion | undefined;

  // Transactions work with objects that inherit these methods but were never constructed, so that
  // nothing of what is needed here may be a field.
  class DalClient extends Base {
    constructor(config: ClientConfig) {
      super(config);
      for (const option of ['connection', 'connectionPool', 'pool']) {
        if (config[option] !== undefined) throw notForKnexError(option);
      }
    }

    get canCancelQuery(): boolean {
      return true;
    }

    /** Knex would load the driver's package here. */
    override initializeDriver(): void {}

    override initializePool(): void {}

    /** Begins when its turn comes; by then nobody could tell who asked for it. */
    override transaction(...how: unknown[]): object {
      const origin = namesHolders ? new Error('taken') : undefined;
      const asker = Object.create(this, {
        acquireConnection: { value: () => this.acquireConnection(origin) },
      }) as BaseClient;
      return super.transaction.apply(asker, how);
    }

    override async acquireConnection(origin?: Error): Promise<KnexConnection> {
      // Some of Knex's SQL depends on it.
      if (this.version === undefined) {
        version ??= await db.version();
        this.version = version.serverVersion;
        this.isMariaDB = version.flavor === 'mariadb';
      }
      return new KnexConnection(await db.acquire(origin ? { origin } : {}));
    }

    override releaseConnection(connection: KnexConnection): Promise<void> {
      return connection.release();
    }

    override cancelQuery(connection: KnexConnection): Promise<void> {
      return connection.cancel();
    }

    override async _query(
      connection: KnexConnection,
      statement: KnexStatement,
    ): Promise<KnexStatement> {
      if (!statement.sql) throw new Error('The query is empty');
      const result = await connection.execute(statement, bindingsOf(this, statement));
      return Object.assign(statement, answerFor(this.dialect, result));
    }

    override async _stream(
      connection: KnexConnection,
      statement: KnexStatement,
      stream: NodeJS.WritableStream,
      how?: { readonly batchSize?: number },
    ): Promise<void> {
      const rows = connection.rows(statement, bindingsOf(this, statement), how?.batchSize);
      await pourRows(rows, stream);
    }

    override async destroy(callback?: (error?: unknown) => void): Promise<void> {
      try {
        if (!keepOpen) await db.close();
      } catch (error) {
        if (typeof callback !== 'function') throw error;
        callback(error);
        return;
      }
      if (typeof callback === 'function') callback();
    }

    override database(): string | undefined {
      return db.observed.pool.server.namespace;
    }
  }
  return DalClient as unknown as ClientClass;
}

function bindingsOf(client: BaseClient, { bindings }: KnexStatement): readonly unknown[] {
  return client._formatBindings?.(bindings) ?? bindings ?? [];
}

function noClientError(engine: string): ConfigError {
  return new ConfigError(
    `Knex has no client for "${engine}". Name the one that speaks alike: dalClient(db, { client: 'pg' }).`,
    { kind: 'usage', code: 'DAL_KNEX_CLIENT' },
  );
}

function notForKnexError(option: string): ConfigError {
  return new ConfigError(
    `Knex's option "${option}" would have no effect: the database that dalClient() was given has its own. Give it to createDatabase() instead.`,
    { kind: 'usage', code: 'DAL_KNEX_OPTION' },
  );
}
