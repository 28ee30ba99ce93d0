import { type Connection, createDatabase, type Database } from '@dal/factory';
import { type OwnDatabase, ownDatabase } from './own-database.ts';
import { Program, until } from './program.ts';

/** Longer than anything here takes by itself, and shorter than a test. */
export const REQUEST_TIMEOUT_MS = 3_000;

/** How many statements of other sessions change an order now. */
const changing: Partial<Record<string, string>> = {
  postgres: `SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND query LIKE 'UPDATE service_orders%'`,
  mysql: `SELECT COUNT(*) FROM information_schema.processlist
    WHERE db = DATABASE() AND info LIKE 'UPDATE service_orders%'`,
};

/** One service, with a database of its own. */
export class ServiceStage implements AsyncDisposable {
  readonly framework: string;
  readonly program: Program;
  readonly address: string;
  /** Looks at the database, and holds locks in it. */
  readonly other: Database;
  readonly #own: OwnDatabase;

  private constructor(
    framework: string,
    program: Program,
    address: string,
    other: Database,
    own: OwnDatabase,
  ) {
    this.framework = framework;
    this.program = program;
    this.address = address;
    this.other = other;
    this.#own = own;
  }

  static async open(
    framework: string,
    engine: { name: string; url: string },
  ): Promise<ServiceStage> {
    const own = await ownDatabase(engine, `service_${framework}`);
    const { url } = own;
    const program = new Program('service', {
      DATABASE_URL: url,
      FRAMEWORK: framework,
      PORT: '0',
      REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
    });
    try {
      const address = (await program.line(/listens on/)).replace(/.* on /, '');
      const other = await createDatabase(url, { pool: { max: 2 } });
      return new ServiceStage(framework, program, address, other, own);
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }

  get isServer(): boolean {
    return this.other.dialect.name !== 'sqlite';
  }

  async call(method: string, path: string, body?: string): Promise<[number, unknown]> {
    const answer = await fetch(this.address + path, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body }),
    });
    return [answer.status, await answer.json()];
  }

  place(id: number): Promise<[number, unknown]> {
    return this.call('POST', '/orders', JSON.stringify({ id, item: 'hat', amount: 1 }));
  }

  async paid(id: number): Promise<number> {
    const text = 'SELECT paid FROM service_orders WHERE id = ?';
    return Number(await this.other.queryValue(text, [id]));
  }

  /** Until it is given back, nobody else changes the order (on SQLite: any order). */
  async lock(id: number): Promise<Connection> {
    const connection = await this.other.acquire();
    await connection.begin();
    await connection.execute('UPDATE service_orders SET amount = amount WHERE id = ?', [id]);
    return connection;
  }

  async unlock(connection: Connection): Promise<void> {
    await connection.rollback();
    await connection.release();
  }

  /** How many requests change an order now, as the server sees it; SQLite does not tell. */
  async changes(): Promise<number> {
    const { name } = this.other.dialect;
    const question = changing[name === 'mariadb' ? 'mysql' : name];
    return question === undefined ? 0 : Number(await this.other.queryValue(question));
  }

  /** A request has come to the row that is locked. */
  async untilItWaits(): Promise<void> {
    if (this.isServer) await until(async () => (await this.changes()) === 1);
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    await this.other.close();
    await this.#own[Symbol.asyncDispose]();
  }
}
