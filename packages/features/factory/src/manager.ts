import {
  type CloseOptions,
  type CloseReport,
  ConfigError,
  type Database,
  type Driver,
  type PoolStats,
  suggest,
} from '@dal/core';
import { type ConfigOptions, optionsOf } from './config-options.ts';
import type { DatabaseConfig } from './database-config.ts';
import { type HealthReport, reportHealth } from './health-report.ts';
import { ManagedDatabase } from './managed-database.ts';
import {
  type ManagerOptions,
  type ManagerSettings,
  readManagerOptions,
} from './manager-options.ts';

export interface SetupReport {
  readonly ok: readonly string[];
  /** By name: why the database is not there. Those that could not be reached are tried again. */
  readonly failed: Readonly<Record<string, Error>>;
}

export interface ManagerStats {
  /** Databases to which a connection was made. */
  readonly successfulSetups: number;
  /** Databases that were tried and are not there yet. */
  readonly failedSetups: number;
  /** By name: why those are not there, as of the last attempt. */
  readonly errors: Readonly<Record<string, Error>>;
  /** By name; undefined for one that could not be opened. */
  readonly databases: Readonly<Record<string, PoolStats | undefined>>;
}

/**
 * Several databases by name. Nothing is opened before `setup()`.
 *
 * @example
 * await using manager = createManager({
 *   databases: { primary: 'postgres://app@db1/shop', reports: { url: 'mysql://app@db2/reports' } },
 * });
 * const { failed } = await manager.setup();
 * await manager.get('primary').query('SELECT 1');
 * @throws ConfigError that names the option
 */
export function createManager(options: ManagerOptions = {}): DatabaseManager {
  return new DatabaseManager(readManagerOptions(options));
}

/** See {@link createManager}. */
export class DatabaseManager implements AsyncDisposable {
  readonly #settings: ManagerSettings;
  readonly #databases = new Map<string, ManagedDatabase>();
  #closing: Promise<Record<string, CloseReport>> | undefined;

  constructor(settings: ManagerSettings) {
    this.#settings = settings;
    for (const [name, config] of settings.databases) {
      this.#databases.set(name, new ManagedDatabase(name, config, settings));
    }
  }

  /**
   * Opens all databases and makes a connection to each, all at the same time. One that fails doesn't
   * hold up the others, and is tried again in the background until it is there; only a wrong
   * configuration stays failed. A second call tries again at once.
   */
  async setup(): Promise<SetupReport> {
    this.#refuseWhenClosed();
    const all = [...this.#databases.values()];
    await Promise.all(all.map((database) => database.setUp()));
    const failed = all.filter(({ isUp }) => !isUp);
    return {
      ok: all.filter(({ isUp }) => isUp).map(({ name }) => name),
      failed: Object.fromEntries(
        failed.map(({ name, error }) => [name, error ?? new Error('The manager was closed.')]),
      ),
    };
  }

  /**
   * Also one that can't be reached now: its statements fail until it is back, and work from then on.
   *
   * @throws ConfigError for a name that nobody has, with the likely right one
   * @throws SetupError when it could not be opened at all, or `setup()` was not called
   */
  get(name: string): Database {
    return this.#find(name).database;
  }

  names(): string[] {
    return [...this.#databases.keys()];
  }

  /** Adds a database and makes a connection to it; it is tried again when that fails. */
  async createPool(
    name: string,
    driver: string | Driver,
    config: ConfigOptions | DatabaseConfig = {},
  ): Promise<Database> {
    this.#refuseWhenClosed();
    if (this.#databases.has(name)) {
      throw new ConfigError(`This manager has a database "${name}" already.`, {
        kind: 'usage',
        code: 'DAL_CONFIG_VALUE',
      });
    }
    const added = new ManagedDatabase(name, { ...optionsOf(config), driver }, this.#settings);
    this.#databases.set(name, added);
    await added.setUp();
    try {
      return added.database;
    } catch (error) {
      // It will never be there, so the name is free again.
      this.#databases.delete(name);
      throw error;
    }
  }

  /** Asks for a sign of life: of one database, or of all by name. Never rejects for a known name. */
  health(name: string): Promise<HealthReport>;
  health(): Promise<Record<string, HealthReport>>;
  async health(name?: string): Promise<HealthReport | Record<string, HealthReport>> {
    if (name !== undefined) return this.#health(this.#find(name));
    const reports = [...this.#databases.values()].map(
      async (database) => [database.name, await this.#health(database)] as const,
    );
    return Object.fromEntries(await Promise.all(reports));
  }

  async healthSummary(): Promise<{ readonly totalPools: number; readonly healthyPools: number }> {
    const reports = Object.values(await this.health());
    const healthy = reports.filter(({ status }) => status === 'up');
    return { totalPools: reports.length, healthyPools: healthy.length };
  }

  stats(): ManagerStats {
    const all = [...this.#databases.values()];
    const failed = all.flatMap(({ name, error }) => (error ? [[name, error] as const] : []));
    return {
      successfulSetups: all.filter(({ isUp }) => isUp).length,
      failedSetups: failed.length,
      errors: Object.fromEntries(failed),
      databases: Object.fromEntries(all.map(({ name, stats }) => [name, stats])),
    };
  }

  /**
   * Closes all databases at the same time; nothing is tried again any more. Safe to call twice.
   *
   * @returns by name: who held on. Nothing for a database that was never opened.
   */
  close(options: CloseOptions = {}): Promise<Record<string, CloseReport>> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(options: CloseOptions): Promise<Record<string, CloseReport>> {
    const all = [...this.#databases.values()];
    const reports = await Promise.all(all.map((database) => database.close(options)));
    const named = all.map(({ name }, index) => [name, reports[index]] as const);
    return Object.fromEntries(named.filter(([, report]) => report !== undefined)) as Record<
      string,
      CloseReport
    >;
  }

  #health(managed: ManagedDatabase): Promise<HealthReport> {
    return reportHealth(() => managed.database.ping({ timeoutMs: this.#settings.healthTimeoutMs }));
  }

  #find(name: string): ManagedDatabase {
    const found = this.#databases.get(name);
    if (found) return found;
    const names = this.names();
    const likely = suggest(name, names);
    const advice = likely ? ` Did you mean "${likely}"?` : ` Known: ${names.join(', ') || 'none'}.`;
    throw new ConfigError(`This manager has no database "${name.slice(0, 64)}".${advice}`, {
      kind: 'usage',
      code: 'DAL_UNKNOWN_DATABASE',
    });
  }

  #refuseWhenClosed(): void {
    if (!this.#closing) return;
    throw new ConfigError('This manager is closed; nothing can be opened with it any more.', {
      kind: 'usage',
      code: 'DAL_CLOSED',
    });
  }
}
