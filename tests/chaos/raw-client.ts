import { createRequire } from 'node:module';
import {
  BALANCE_UPDATE,
  type Client,
  FIXED_ROWS,
  isWhole,
  LEDGER_INSERT,
  type Told,
} from './client.ts';

interface Session {
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  release(): void;
}

/** What a raw driver's pool is reduced to. */
interface RawPool {
  connect(): Promise<Session>;
  end(): Promise<void>;
}

const ATTEMPTS = 5;

/**
 * The raw drivers as many programs use them: a pool, and everything that fails is tried again. The
 * campaign must go red with it, or it would not see the faults.
 */
export class RawClient implements Client {
  readonly #pool: RawPool;

  constructor(url: string, max: number) {
    this.#pool = url.startsWith('postgres:') ? pgPool(url, max) : mysqlPool(url, max);
  }

  transfer(op: string, account: number): Promise<Told> {
    return this.#again(async (session) => {
      await session.query('BEGIN');
      try {
        await session.query(LEDGER_INSERT, [op, 'transfer']);
        await session.query(BALANCE_UPDATE, [account]);
        await session.query('COMMIT');
      } catch (error) {
        await session.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  note(op: string): Promise<Told> {
    return this.#again((session) => session.query(LEDGER_INSERT, [op, 'note']));
  }

  async read(count: number): Promise<boolean> {
    let right = true;
    await this.#again(async (session) => {
      right = isWhole(await session.query(FIXED_ROWS, [count]), count);
    });
    return right;
  }

  close(timeoutMs: number): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref());
    return Promise.race([this.#pool.end().catch(() => undefined), late]);
  }

  async #again(work: (session: Session) => Promise<unknown>): Promise<Told> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        const session = await this.#pool.connect();
        try {
          await work(session);
          return 'acknowledged';
        } finally {
          session.release();
        }
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5 * attempt));
      }
    }
    return 'nothing';
  }
}

function pgPool(url: string, max: number): RawPool {
  const { Pool } = requireOf('postgres')('pg') as {
    Pool: new (options: object) => {
      on(event: string, listener: () => void): void;
      connect(): Promise<{
        on(event: string, listener: () => void): void;
        query(text: string, values?: readonly unknown[]): Promise<{ rows: never[] }>;
        release(destroy?: boolean): void;
      }>;
      end(): Promise<void>;
    };
  };
  const pool = new Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  pool.on('error', () => undefined);
  return {
    async connect() {
      const client = await pool.connect();
      client.on('error', () => undefined);
      return {
        async query(text, values) {
          let mark = 0;
          return (
            await client.query(
              text.replaceAll('?', () => `$${++mark}`),
              values,
            )
          ).rows;
        },
        release: () => client.release(),
      };
    },
    end: () => pool.end(),
  };
}

function mysqlPool(url: string, max: number): RawPool {
  const { createPool } = requireOf('mysql')('mysql2/promise') as {
    createPool(options: object): {
      getConnection(): Promise<{
        query(options: object, values?: readonly unknown[]): Promise<[Record<string, unknown>[]]>;
        release(): void;
      }>;
      end(): Promise<void>;
    };
  };
  const pool = createPool({
    uri: url.replace(/^mariadb:/, 'mysql:'),
    connectionLimit: max,
    connectTimeout: 2_000,
  });
  return {
    async connect() {
      const connection = await pool.getConnection();
      return {
        query: async (sql, values) => (await connection.query({ sql, timeout: 2_000 }, values))[0],
        release: () => connection.release(),
      };
    },
    end: () => pool.end(),
  };
}

/** The raw drivers belong to our driver packages. */
function requireOf(driver: string): NodeJS.Require {
  return createRequire(new URL(`../../packages/drivers/${driver}/src/index.ts`, import.meta.url));
}
