import { ConfigError, type Database, endOfPiece, type Isolation, type Lexis } from '@dal/core';
import { adapterError } from './adapter-error.ts';
import {
  type ConnectionInfo,
  DriverAdapterError,
  type IsolationLevel,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
  type Transaction,
} from './driver-adapter.ts';
import { type Engine, engineOf } from './engine.ts';
import { QueryableAdapter } from './queryable-adapter.ts';
import { TransactionAdapter } from './transaction-adapter.ts';

export interface AdapterOptions {
  /** The schema of the models, for PostgreSQL and MySQL. Default: that of the connection. */
  readonly schema?: string;
}

/**
 * Prisma's driver adapter over a database of DAL: `new PrismaClient({ adapter: dalAdapter(db) })`.
 * `$disconnect()` leaves the database open, since it is yours; `db.close()` ends it.
 *
 * @throws ConfigError when Prisma has no provider for the database's engine
 */
export function dalAdapter(db: Database, options: AdapterOptions = {}): SqlDriverAdapterFactory {
  const engine = engineOf(db.dialect.name);
  if (!engine) {
    throw new ConfigError(
      `Prisma has no provider for the engine "${db.dialect.name}" of "${db.name}". Use a database on PostgreSQL, MySQL, MariaDB or SQLite.`,
      { kind: 'usage', code: 'DAL_ADAPTER_DIALECT' },
    );
  }
  return {
    provider: engine.provider,
    adapterName: '@dal/prisma',
    connect: async () => {
      const joins = await adapterError(engine, () => canJoinRelations(db));
      return new DatabaseAdapter(db, engine, {
        ...(options.schema === undefined ? {} : { schemaName: options.schema }),
        supportsRelationJoins: joins,
      });
    },
  };
}

class DatabaseAdapter extends QueryableAdapter<Database> implements SqlDriverAdapter {
  readonly #info: ConnectionInfo;

  constructor(db: Database, engine: Engine, info: ConnectionInfo) {
    super(db, engine);
    this.#info = info;
  }

  getConnectionInfo(): ConnectionInfo {
    return this.#info;
  }

  async startTransaction(level?: IsolationLevel): Promise<Transaction> {
    const db = this.on;
    const isolation = level && isolations[level];
    if (level && !(isolation && db.dialect.isolations.includes(isolation))) {
      throw new DriverAdapterError({ kind: 'InvalidIsolationLevel', level });
    }
    return adapterError(this.engine, async () => {
      const connection = await db.acquire();
      try {
        await connection.begin(isolation ? { isolation } : {});
      } catch (error) {
        await connection.release();
        throw error;
      }
      return new TransactionAdapter(connection, this.engine);
    });
  }

  /** Each statement on its own; a `;` in a string, a comment or a quoted name ends none. */
  executeScript(script: string): Promise<void> {
    return adapterError(this.engine, async () => {
      await using connection = await this.on.acquire();
      for (const text of statementsOf(script, this.on.dialect.lexis)) {
        // oxlint-disable-next-line no-await-in-loop -- they come one after another
        await connection.execute(text, [], { placeholders: 'native' });
      }
    });
  }

  async dispose(): Promise<void> {
    // The database is the user's, who may have other clients on it.
  }
}

const isolations: Readonly<Record<IsolationLevel, Isolation | undefined>> = {
  'READ UNCOMMITTED': 'readUncommitted',
  'READ COMMITTED': 'readCommitted',
  'REPEATABLE READ': 'repeatableRead',
  SERIALIZABLE: 'serializable',
  SNAPSHOT: undefined,
};

/** LATERAL is known to PostgreSQL and, from 8.0.14 on, to MySQL; not to MariaDB and SQLite. */
async function canJoinRelations(db: Database): Promise<boolean> {
  if (db.dialect.name !== 'mysql') return db.dialect.name === 'postgres';
  const { flavor, serverVersion } = await db.version();
  const [major = 0, minor = 0, patch = 0] = serverVersion.split('.').map(Number.parseFloat);
  return flavor === 'mysql' && (major > 8 || (major === 8 && (minor > 0 || patch >= 14)));
}

function statementsOf(script: string, lexis: Lexis): string[] {
  const statements: string[] = [];
  let start = 0;
  for (let at = 0; at < script.length;) {
    const end = endOfPiece(script, at, lexis);
    if (script[at] === ';') {
      statements.push(script.slice(start, at));
      start = end;
    }
    at = end;
  }
  statements.push(script.slice(start));
  return statements.map((text) => text.trim()).filter((text) => text !== '');
}
