import {
  type AcquireOptions,
  channels,
  type CloseOptions,
  type CloseReport,
  type Connection,
  ConfigError,
  configHash,
  type Database,
  type DatabaseStatus,
  type Deadline,
  deadlineAfter,
  type Driver,
  type DriverVersion,
  durationMs,
  MAX_DURATION_MS,
  type MaintenanceMessage,
  type MigrateOptions,
  type MigrationReport,
  type HookRegistry,
  type NativeResult,
  type ObservedDatabase,
  type PoolView,
  remainingMs,
  type ScalingAdvice,
  type SchemaOptions,
  type StatementOptions,
  type SyncDatabase,
  type Transaction,
  type TransactionOptions,
} from '@dal/core';
import { type Lease, pingConnection, whileHolding } from '@dal/pool';
import { CircuitBreaker, type CircuitBreakerOptions, RetryBudget } from '@dal/resilience';
import { acquireLease } from './acquire-lease.ts';
import { type CompiledStatement, layerStatement } from './compile-statement.ts';
import { type DatabaseOptions, splitOptions } from './database-options.ts';
import { echo } from './echo.ts';
import { Hooks } from './hooks.ts';
import { LentConnection } from './lent-connection.ts';
import { maintainTable } from './maintain-table.ts';
import { migrateBy } from './migrate-provider.ts';
import { poolFor, type PoolSource } from './pool-source.ts';
import { readVersion } from './read-version.ts';
import {
  giveBack,
  runCall,
  runOnLease,
  runStatement,
  type StatementCall,
} from './run-statement.ts';
import { StatementMethods } from './statement-methods.ts';
import { StatementPlans } from './statement-plans.ts';
import { type StreamCall, streamOnPool } from './stream-statement.ts';
import { adviseBy } from './scaling-provider.ts';
import { OwnTwin } from './sync-provider.ts';
import { toDalError } from './to-dal-error.ts';
import { runTransaction } from './transaction.ts';

/**
 * A database from a driver and what the user gave: a URL, or options of the driver, or both
 * (`{ url, ... }`). Connections are opened when they are needed; nothing is sent here.
 *
 * @param pools where databases of the same configuration share a pool. Default: each has its own
 * @throws ConfigError that names the option
 */
export function openDatabase<Options, Raw>(
  driver: Driver<Options, Raw>,
  config: string | Readonly<Record<string, unknown>> = {},
  options: DatabaseOptions = {},
  pools?: PoolSource,
): Database {
  if (typeof config !== 'string' && (typeof config !== 'object' || config === null)) {
    throw new ConfigError('A database needs a URL or an object of options.', {
      kind: 'usage',
      code: 'DAL_CONFIG_VALUE',
    });
  }
  const given = typeof config === 'string' ? { url: config } : config;
  const { settings, rest } = splitOptions({ ...given, ...options });
  const driverOptions = driver.configure ? driver.configure(rest) : (rest as Options);
  const limits = driver.poolOptions?.(driverOptions) ?? {};
  const max = Math.min(settings.pool.max, limits.max ?? Infinity);
  const pool = {
    ...settings.pool,
    max,
    min: Math.min(settings.pool.min, max),
    // A breaker can only count what it is told.
    failFast: settings.pool.failFast || settings.circuitBreaker !== undefined,
    // A database that lives in its only session must not lose it to a timer.
    ...(limits.keepOne ? KEEP_ONE : {}),
  };
  const name = settings.name ?? driver.name;
  const known: Driver = driver;
  const hash = configHash(driver.name, rest);
  const hooks = new Hooks();
  if (settings.echo) echo(hooks, settings.echo);
  const lending = poolFor(
    {
      name,
      configHash: hash,
      parts: { name, driver: known, options: driverOptions, settings: pool },
      hooks,
    },
    // A database that lives in its only session is nobody else's, and a session's marks are in the
    // table of one database.
    limits.keepOne || settings.commitTable !== undefined ? undefined : pools,
  );
  return new PooledDatabase({
    name,
    configHash: hash,
    driver: known,
    config: { ...given, ...options },
    driverOptions,
    settings: { ...settings, pool },
    pool: lending,
    observed: { name, configHash: hash, pool: lending.observed },
    plans: new StatementPlans(known.dialect, settings.tags, settings.tagFormat),
    hooks,
    budget: new RetryBudget(),
    breaker: settings.circuitBreaker && makeBreaker(name, settings.circuitBreaker),
  });
}

function makeBreaker(database: string, options: CircuitBreakerOptions): CircuitBreaker {
  const breaker = new CircuitBreaker(database, options);
  breaker.onStateChange(({ from, to }) => channels.circuit.publish({ database, from, to }));
  return breaker;
}

/** The only session is never ended, nor doubted: its end would be the end of the data. */
const KEEP_ONE = {
  min: 0,
  idleTimeoutMs: MAX_DURATION_MS,
  healthCheckIntervalMs: MAX_DURATION_MS,
  maxLifetimeMs: Infinity,
  validate: { afterIdleMs: Infinity },
};

/** A database whose statements run on connections of one pool. */
class PooledDatabase extends StatementMethods implements Database {
  readonly #twin: OwnTwin = new OwnTwin(this.runtime);

  get name(): string {
    return this.runtime.name;
  }

  get configHash(): string {
    return this.runtime.configHash;
  }

  get pool(): PoolView {
    return this.runtime.pool;
  }

  get observed(): ObservedDatabase {
    return this.runtime.observed;
  }

  get hooks(): HookRegistry {
    return this.runtime.hooks;
  }

  get sync(): SyncDatabase {
    return this.#twin.database;
  }

  async migrate(options: MigrateOptions): Promise<MigrationReport> {
    return migrateBy(this, options);
  }

  scaling(): ScalingAdvice {
    return adviseBy(this.runtime.observed.pool);
  }

  status(): DatabaseStatus {
    const { name, configHash: hash, pool } = this.runtime;
    return { name, configHash: hash, state: pool.state, pool: pool.stats() };
  }

  async connect(): Promise<void> {
    const { driver, name, pool } = this.runtime;
    await this.#withLease({}, () => Promise.resolve());
    try {
      await pool.warm(this.#acquireDeadline({}));
    } catch (error) {
      throw toDalError(driver, name, error);
    }
  }

  async acquire(options: AcquireOptions = {}): Promise<Connection> {
    const lease = await this.#lease(this.#acquireDeadline(options));
    if (options.origin) lease.origin = options.origin;
    return new LentConnection(this.runtime, lease, 'free');
  }

  async connection<T>(
    callback: (connection: Connection) => Promise<T>,
    options: AcquireOptions = {},
  ): Promise<T> {
    const lease = await this.#lease(this.#acquireDeadline(options), 'callback');
    await using connection = new LentConnection(this.runtime, lease);
    return await whileHolding(lease, connection, () => callback(connection));
  }

  async transaction<T>(
    callback: (tx: Transaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return runTransaction(this.runtime, callback, options);
  }

  async version(options: AcquireOptions = {}): Promise<DriverVersion> {
    return this.#withLease(options, (lease, deadline) =>
      readVersion(this.runtime, lease, deadline),
    );
  }

  async analyzeTable(table: string, options: SchemaOptions = {}): Promise<MaintenanceMessage[]> {
    return maintainTable(this, 'analyze', table, options);
  }

  async optimizeTable(table: string, options: SchemaOptions = {}): Promise<MaintenanceMessage[]> {
    return maintainTable(this, 'optimize', table, options);
  }

  async ping(options: AcquireOptions = {}): Promise<void> {
    const { dialect } = this.runtime.driver;
    await this.#withLease(options, async (lease, deadline) => {
      const statement = { ...layerStatement(dialect.ping), shown: 'ping' };
      await runOnLease(this.runtime, lease, statement, deadline, async (connection) => {
        await pingConnection(connection, dialect);
        return { rows: [], columns: [], affectedRows: 0 };
      });
    });
  }

  async isHealthy(options: AcquireOptions = {}): Promise<boolean> {
    try {
      await this.ping(options);
      return true;
    } catch {
      return false;
    }
  }

  async close({ timeoutMs = 60_000, force = false }: CloseOptions = {}): Promise<CloseReport> {
    const limitMs = force ? 0 : durationMs(timeoutMs, 'timeoutMs');
    const [report] = await Promise.all([this.runtime.pool.close(limitMs), this.#twin.close()]);
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected run(
    statement: CompiledStatement,
    deadline: Deadline,
    options: StatementOptions | undefined,
    call?: StatementCall,
  ): Promise<NativeResult> {
    if (call) return runCall(this.runtime, statement, deadline, call);
    return runStatement(this.runtime, statement, deadline, options?.idempotent === true);
  }

  protected streamPieces<T>(call: StreamCall<T>): AsyncGenerator<T, void, undefined> {
    return streamOnPool(this.runtime, call);
  }

  protected async allOrNothing<T>(
    deadline: Deadline,
    work: (on: StatementMethods) => Promise<T>,
  ): Promise<T> {
    const { signal, at, call } = deadline;
    return runTransaction(
      this.runtime,
      // What a transaction hands to its callback is a StatementMethods too.
      (tx) => work(tx as unknown as StatementMethods),
      {
        ...(signal ? { signal } : {}),
        ...(at === Infinity ? {} : { timeoutMs: remainingMs(deadline) }),
      },
      call,
    );
  }

  async #withLease<T>(
    options: AcquireOptions,
    work: (lease: Lease, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const deadline = this.#acquireDeadline(options);
    const lease = await this.#lease(deadline);
    try {
      return await work(lease, deadline);
    } finally {
      giveBack(this.runtime, lease);
    }
  }

  async #lease(deadline: Deadline, purpose?: 'callback'): Promise<Lease> {
    try {
      return await acquireLease(this.runtime, deadline, purpose);
    } catch (error) {
      throw toDalError(this.runtime.driver, this.runtime.name, error);
    }
  }

  #acquireDeadline({ timeoutMs, signal }: AcquireOptions): Deadline {
    return deadlineAfter(
      timeoutMs === undefined
        ? this.runtime.settings.pool.acquireTimeoutMs
        : durationMs(timeoutMs, 'timeoutMs'),
      signal,
    );
  }
}
