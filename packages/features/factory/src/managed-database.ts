import {
  type CloseOptions,
  type CloseReport,
  type Database,
  isDalError,
  type PoolStats,
} from '@dal/core';
import type { ConfigOptions } from './config-options.ts';
import { createDatabase } from './create-database.ts';
import type { ManagerSettings } from './manager-options.ts';
import { SetupError } from './setup-error.ts';

/** One database of a manager: opened, tried again while it can't be reached, closed. */
export class ManagedDatabase {
  readonly name: string;
  readonly #config: ConfigOptions;
  readonly #settings: ManagerSettings;
  #database: Database | undefined;
  #error: Error | undefined;
  #isUp = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #attempt: Promise<void> | undefined;
  #closed = false;

  constructor(name: string, config: ConfigOptions, settings: ManagerSettings) {
    this.name = name;
    this.#config = { ...config, name: config.name ?? name };
    this.#settings = settings;
  }

  /** A connection was made once; what happens later is the pool's matter. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Why it is not up; undefined before the first attempt. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** @throws SetupError when it could not be opened at all */
  get database(): Database {
    if (this.#database) return this.#database;
    const why = this.#error
      ? `could not be set up: ${this.#error.message}`
      : 'is not set up yet. Call "await manager.setup()" first.';
    throw new SetupError(`The database "${this.name}" ${why}`, {
      kind: 'usage',
      code: this.#error ? 'DAL_SETUP_FAILED' : 'DAL_NOT_SET_UP',
      cause: this.#error,
    });
  }

  get stats(): PoolStats | undefined {
    return this.#database?.pool.stats();
  }

  /** Opens it and makes a connection. Never rejects; a second call joins the first. */
  setUp(): Promise<void> {
    if (this.#isUp || this.#closed) return Promise.resolve();
    this.#attempt ??= this.#try().finally(() => (this.#attempt = undefined));
    return this.#attempt;
  }

  async close(options: CloseOptions): Promise<CloseReport | undefined> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const closing = this.#database?.close(options);
    // One that is being opened now is closed by the attempt itself.
    await this.#attempt;
    return closing;
  }

  async #try(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      this.#database ??= await createDatabase(this.#config);
      if (this.#closed) await this.#database.close({ force: true });
      else await this.#reach(this.#database);
    } catch (thrown) {
      if (this.#closed) return;
      this.#error = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#failures++;
      if (isWorthWaiting(this.#error)) this.#tryLater();
    }
  }

  async #reach(database: Database): Promise<void> {
    // A ping has a deadline; the warm-up behind it is for those who have `min`.
    await database.ping({ timeoutMs: this.#settings.setupTimeoutMs });
    this.#isUp = true;
    this.#error = undefined;
    this.#failures = 0;
  }

  /** Doubled each time, and at least half of it: what failed together must not come back together. */
  #tryLater(): void {
    const { retryBaseDelayMs, retryMaxDelayMs } = this.#settings;
    const longest = Math.min(
      retryMaxDelayMs,
      retryBaseDelayMs * 2 ** Math.min(this.#failures - 1, 30),
    );
    const pause = longest / 2 + (Math.random() * longest) / 2;
    this.#timer = setTimeout(() => void this.setUp(), pause);
    this.#timer.unref();
  }
}

/** A wrong option or a missing package stays what it is. */
function isWorthWaiting(error: Error): boolean {
  return !(isDalError(error) && error.kind === 'usage');
}
