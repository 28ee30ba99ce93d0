import { randomBytes } from 'node:crypto';
import type { ColumnTypes, Database, Dialect, Driver, DriverConnection } from '@dal/core';
import { openDatabase } from '@dal/database';
import type { ConformanceOptions } from './conformance-options.ts';
import { within } from './expectations.ts';
import { type SilentServer, startSilentServer } from './silent-server.ts';
import { Skip } from './skip.ts';
import { watchDriver, type Watch } from './watch-driver.ts';

// Two runs on one server must not meet.
const run = randomBytes(4).toString('hex');
let tableCount = 0;

/** What one test stands on: databases and tables that are gone when it ends. */
export class Stage {
  readonly options: ConformanceOptions;
  readonly driver: Driver;
  readonly dialect: Dialect;
  readonly types: ColumnTypes;
  readonly watch: Watch;
  #db: Database | undefined;
  readonly #databases: Database[] = [];
  readonly #sessions: DriverConnection[] = [];
  readonly #tables: string[] = [];
  readonly #silent: SilentServer[] = [];

  constructor(options: ConformanceOptions) {
    this.options = options;
    this.driver = options.driver;
    this.dialect = options.driver.dialect;
    this.types = this.dialect.types;
    this.watch = watchDriver(options.driver);
  }

  /** The test's database, four sessions at most. */
  get db(): Database {
    return (this.#db ??= this.open({ max: 4 }));
  }

  /** Makes `db` one with other pool options; to be called before `db` is used. */
  useDatabase(pool: Readonly<Record<string, unknown>>): Database {
    return (this.#db = this.open(pool));
  }

  /** One more database on the same data. */
  async second(): Promise<Database> {
    await this.#meet();
    if (this.watch.isPrivate()) this.skip('the data lives in one session (poolOptions.keepOne)');
    return this.open({ max: 2 });
  }

  /** A database whose sessions are not watched with the others. */
  async observer(): Promise<Database> {
    return this.#keep(openDatabase(this.driver, this.options.config, { pool: { max: 2 } }));
  }

  open(pool: Readonly<Record<string, unknown>>): Database {
    return this.#keep(openDatabase(this.watch.driver, this.options.config, { pool }));
  }

  /** A session straight from the driver, with the layer out of the way. */
  async session(lost: (error: unknown) => void = () => undefined): Promise<DriverConnection> {
    await this.#meet();
    const session = await this.driver.connect(this.watch.options(), lost);
    this.#sessions.push(session);
    return session;
  }

  /** The same, given up when the signal says so. */
  async attempt(signal: AbortSignal): Promise<DriverConnection> {
    await this.#meet();
    if (this.driver.connect.length < 3) this.skip('connect takes no signal');
    const session = await this.driver.connect(this.watch.options(), () => undefined, signal);
    this.#sessions.push(session);
    return session;
  }

  /** A database whose server accepts and never says a word. */
  async unanswered(): Promise<{ readonly db: Database; readonly server: SilentServer }> {
    if (this.driver.connect.length < 3) this.skip('connect takes no signal');
    const { config } = this.options;
    if (typeof config !== 'string' || !URL.canParse(config) || !new URL(config).hostname) {
      this.skip('the configuration is no URL with a host');
    }
    const server = await startSilentServer();
    this.#silent.push(server);
    const url = new URL(config);
    url.host = `127.0.0.1:${server.port}`;
    return { db: this.#keep(openDatabase(this.driver, url.href, {})), server };
  }

  /** Creates a table and returns its name. */
  async table(columns: string): Promise<string> {
    const name = `dal_${run}_${++tableCount}`;
    await this.db.execute(`CREATE TABLE ${name} (${columns})`);
    this.#tables.push(name);
    return name;
  }

  /** A table of whole numbers `id`, from 1 to `count`, with a text `v` each. */
  async numbers(count: number, text = 'v'): Promise<string> {
    const table = await this.table(
      `id ${this.types.integer} NOT NULL PRIMARY KEY, v ${this.types.text}`,
    );
    for (let from = 1; from <= count; from += 100) {
      const ids = Array.from({ length: Math.min(100, count - from + 1) }, (_, i) => from + i);
      await this.db.execute(
        `INSERT INTO ${table} (id, v) VALUES ${ids.map(() => '(?, ?)').join(', ')}`,
        ids.flatMap((id) => [id, text]),
      );
    }
    return table;
  }

  async count(table: string, db: Pick<Database, 'queryValue'> = this.db): Promise<number> {
    return Number(await db.queryValue(`SELECT COUNT(*) FROM ${table}`));
  }

  /** The names of the optional members that the driver's sessions have. */
  async members(): Promise<ReadonlySet<string>> {
    await this.#meet();
    return this.watch.members();
  }

  /** For tests that look at their table after a statement was stopped. */
  async needsDataAfterStop(): Promise<void> {
    if (!(await this.members()).has('cancel') && this.watch.isPrivate()) {
      this.skip('a stopped statement ends the session, and the data lives in it');
    }
  }

  quote(name: string): string {
    return this.dialect.quote[0] + name + this.dialect.quote[1];
  }

  /** A statement that runs for about a minute. */
  stuck(): string {
    const { stuckStatement } = this.options;
    if (stuckStatement === false) this.skip('statements run in the thread of the caller');
    return (
      stuckStatement ??
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) ' +
        'SELECT COUNT(*) FROM n'
    );
  }

  skip(reason: string): never {
    throw new Skip(reason);
  }

  /** Ends and drops everything; also after a failure in the middle of a transaction. */
  async clear(): Promise<void> {
    for (const session of this.#sessions) {
      await within(5_000, 'closing a session', () => session.close()).catch(() => undefined);
    }
    const others = this.#databases.filter((db) => db !== this.#db);
    await Promise.all(others.map(end));
    await Promise.all(this.#silent.map((server) => server.close()));
    const dropped = await this.#dropTables();
    if (this.#db) await end(this.#db);
    if (dropped) return;
    const sweeper = openDatabase(this.driver, this.options.config, { pool: { max: 1 } });
    try {
      await drop(sweeper, this.#tables, 10_000);
    } finally {
      await end(sweeper);
    }
  }

  /** Uses the test's own database when it is in order; false when somebody else must do it. */
  async #dropTables(): Promise<boolean> {
    if (this.#tables.length === 0 || this.watch.isPrivate()) return true;
    if (!this.#db || this.#db.pool.stats().lent > 0) return false;
    return drop(this.#db, this.#tables, 2_000).then(
      () => true,
      () => false,
    );
  }

  /** Has one session opened, which shows what the driver can; a pool that is lent out is left alone. */
  async #meet(): Promise<void> {
    if (this.db.pool.stats().created === 0) await this.db.connect();
  }

  #keep(db: Database): Database {
    this.#databases.push(db);
    return db;
  }
}

async function end(db: Database): Promise<void> {
  await within(10_000, 'close()', () => db.close({ force: true }));
}

/** The youngest first: it may refer to an older one. */
async function drop(db: Database, tables: readonly string[], timeoutMs: number): Promise<void> {
  for (const table of tables.toReversed()) {
    await db.execute(`DROP TABLE IF EXISTS ${table}`, [], { timeoutMs });
  }
}
