import {
  type BeginOptions,
  ConfigError,
  DATABASE_OPTION_NAMES,
  type DalError,
  type Deadline,
  type Driver,
  type NativeStatement,
  PoolError,
  type Sql,
  type StatementOptions,
  type SyncDatabase,
  type TransactionOptions,
  type Values,
} from '@dal/core';
import { checkHow } from './begin-transaction.ts';
import { compileStatement } from './compile-statement.ts';
import { type DatabaseOptions, type DatabaseSettings, splitOptions } from './database-options.ts';
import { RowValues } from './row-values.ts';
import type { Runtime } from './runtime.ts';
import { StatementPlans } from './statement-plans.ts';
import { toDalError } from './to-dal-error.ts';
import { readTransactionOptions } from './transaction-options.ts';

/** What a blocking twin must know of a database. */
export interface SyncSource {
  readonly name: string;
  readonly driver: Driver;
  /** As the driver read them. */
  readonly driverOptions: unknown;
  /** The layer's own options as the user gave them. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly statementTimeoutMs: number;
  readonly acquireTimeoutMs: number;
  readonly retry: DatabaseSettings['retry'];
  /** @throws ConfigError when the values don't fit the text */
  compile(
    statement: string | Sql,
    values: Values | undefined,
    options: StatementOptions | undefined,
  ): NativeStatement & { readonly shown: string };
  /** @throws ConfigError that names the option */
  readTransaction(options: TransactionOptions): {
    readonly how: BeginOptions;
    readonly deadline: Deadline;
  };
  /** Reads rows to insert, by the form of the first one. @throws ConfigError */
  readRows(
    first: unknown,
    columns: readonly string[] | undefined,
  ): { readonly columns: readonly string[]; of(row: unknown, index: number): Values };
  /** Gives any error the layer's form. */
  judge(error: unknown, statement?: string): DalError;
}

/** A twin, and the end of everything behind it. */
export interface SyncTwin {
  readonly database: SyncDatabase;
  /** Resolves when no session and no thread is left. */
  close(): Promise<void>;
}

/** Who makes blocking twins: `@dal/sync`, once it was enabled. */
export interface SyncProvider {
  open(source: SyncSource): SyncTwin;
}

/** Makes `db.sync` work in this thread, for every copy of this package. */
export function provideSync(provider: SyncProvider): void {
  (globalThis as Slot)[slot] = provider;
}

/**
 * Reads what a user gave, as `openDatabase` does, for a twin.
 *
 * @throws ConfigError that names the option
 */
export function readSyncSource<Options, Raw>(
  driver: Driver<Options, Raw>,
  config: string | Readonly<Record<string, unknown>> = {},
  options: DatabaseOptions = {},
): SyncSource {
  const given = { ...(typeof config === 'string' ? { url: config } : config), ...options };
  const { rest } = splitOptions(given);
  return sourceOf(driver, given, driver.configure ? driver.configure(rest) : rest);
}

function sourceOf(
  driver: Driver,
  given: Readonly<Record<string, unknown>>,
  driverOptions: unknown,
): SyncSource {
  const config = Object.fromEntries(
    Object.entries(given).filter(([name]) => LAYER_OPTIONS.has(name)),
  );
  const { settings } = splitOptions(config);
  const name = settings.name ?? driver.name;
  const plans = new StatementPlans(driver.dialect, settings.tags, settings.tagFormat);
  return {
    name,
    driver,
    driverOptions,
    config,
    statementTimeoutMs: settings.statementTimeoutMs,
    acquireTimeoutMs: settings.pool.acquireTimeoutMs,
    retry: settings.retry,
    compile: (statement, values, own) => compileStatement(plans, statement, values, own),
    readTransaction(transaction) {
      const read = readTransactionOptions(transaction);
      checkHow(driver.dialect, read.how);
      return read;
    },
    readRows: (first, columns) => new RowValues(first, columns, driver.dialect),
    judge: (error, statement) => toDalError(driver, name, error, statement),
  };
}

const LAYER_OPTIONS: ReadonlySet<string> = new Set(DATABASE_OPTION_NAMES);

/** The twin of one database, made when it is asked for the first time. */
export class OwnTwin {
  readonly #runtime: Runtime;
  #twin: SyncTwin | undefined;
  #closed = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get database(): SyncDatabase {
    this.#twin ??= this.#open();
    return this.#twin.database;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#twin?.close();
  }

  #open(): SyncTwin {
    const { name, driver, config, driverOptions } = this.#runtime;
    if (this.#closed) {
      throw new PoolError(`The database "${name}" is closed; nothing can run on it any more.`, {
        kind: 'usage',
        code: 'DAL_CLOSED',
      });
    }
    const provider = (globalThis as Slot)[slot];
    if (provider === undefined) {
      throw new ConfigError(
        'db.sync needs the package @dal/sync: npm install @dal/sync, and call enableSync() once at the start of the program (and of each worker thread that uses it).',
        { kind: 'usage', code: 'DAL_SYNC_MISSING' },
      );
    }
    if (driver.poolOptions?.(driverOptions).keepOne) {
      throw new ConfigError(
        `"${name}" lives in its only session, as a database in memory does; db.sync would be another, empty one. Use a file, or openSyncDatabase() of @dal/sync for a database of its own.`,
        { kind: 'usage', code: 'DAL_SYNC_ONE_SESSION' },
      );
    }
    return provider.open(sourceOf(driver, config, driverOptions));
  }
}

const slot = Symbol.for('dal.sync');

interface Slot {
  [slot]?: SyncProvider;
}
