import {
  type AcquireOptions,
  ConfigError,
  type DriverVersion,
  isDalError,
  PoolError,
  type Row,
  type SyncConnection,
  type SyncDatabase,
  type SyncTransaction,
  type TransactionOptions,
} from '@dal/core';
import type { SyncSource, SyncTwin } from '@dal/database';
import { portableOption } from './carried-values.ts';
import type { Place, PlainVerb, Request } from './messages.ts';
import { runInScope } from './remote-scope.ts';
import { type Remote, type Sent, travel, valueOf } from './remote-call.ts';
import { RemoteStatements } from './remote-statements.ts';
import { bundled } from './bundled.ts';
import { leaveSharedThread, sharedThread } from './shared-thread.ts';

/** For opening the database in the worker: starting the thread and loading the driver. */
const OPEN_MS = 30_000;
/** For closing it there; its sessions are not waited for. */
const CLOSE_MS = 10_000;

/** @throws ConfigError when the worker could not open the same database */
export function openRemoteDatabase(source: SyncSource): SyncTwin {
  const database = new RemoteDatabase(source);
  return { database, close: () => database.end() };
}

/** A database that lives in the worker thread. It is opened there when it is used. */
class RemoteDatabase extends RemoteStatements implements SyncDatabase {
  readonly #opening: Request;
  #remote: Remote | undefined;
  #ending: Promise<void> | undefined;

  constructor(source: SyncSource) {
    super(source);
    this.#opening = {
      op: 'open',
      module: moduleOf(source),
      config: portableOption({ ...source.config, pool: poolOf(source) }) as Row,
      driverOptions: portableOption(source.driverOptions),
    };
  }

  get name(): string {
    return this.source.name;
  }

  connect(): void {
    this.#plain('connect', {});
  }

  ping(options: AcquireOptions = {}): void {
    this.#plain('ping', options);
  }

  isHealthy(options: AcquireOptions = {}): boolean {
    try {
      return this.#plain('isHealthy', options) as boolean;
    } catch {
      return false;
    }
  }

  version(options: AcquireOptions = {}): DriverVersion {
    return this.#plain('version', options) as DriverVersion;
  }

  connection<T>(callback: (connection: SyncConnection) => T, options: AcquireOptions = {}): T {
    return runInScope(this.#entrance, 'connection', callback, options);
  }

  transaction<T>(callback: (tx: SyncTransaction) => T, options: TransactionOptions = {}): T {
    return runInScope(this.#entrance, 'transaction', callback, options);
  }

  close(): void {
    void this.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Its sessions are closed when this returns; the promise is for the thread, which ends with its last database. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  protected send(make: (place: Place) => Request, limitMs: number): Sent {
    for (let attempt = 1; ; attempt++) {
      const { thread, place } = this.#open();
      try {
        return { thread, answer: thread.ask(make(place), limitMs) };
      } catch (error) {
        // The worker had ended unseen, and nothing of this call got there.
        const unseen = isDalError(error) && error.fault?.applied === 'no' && !thread.usable;
        if (!unseen || attempt > 1) throw error;
      }
    }
  }

  get #entrance() {
    return {
      source: this.source,
      limitMs: this.wordsMs,
      send: (make: (place: Place) => Request, limitMs: number) => this.send(make, limitMs),
    };
  }

  #open(): Remote {
    if (this.#ending) throw closed(this.name);
    const thread = sharedThread(this);
    if (this.#remote?.thread === thread) return this.#remote;
    const answer = thread.ask(this.#opening, OPEN_MS);
    this.#remote = { thread, place: valueOf(answer) as Place };
    return this.#remote;
  }

  #plain(verb: PlainVerb, options: AcquireOptions): unknown {
    const { parts, timeoutMs = 0 } = travel(options);
    const { answer } = this.send(
      (on) => ({ op: 'plain', on, verb, ...parts }),
      this.wordsMs + timeoutMs,
    );
    return valueOf(answer);
  }

  #end(): Promise<void> {
    const remote = this.#remote;
    this.#remote = undefined;
    try {
      if (remote?.thread.usable) {
        remote.thread.ask({ op: 'close', on: remote.place }, CLOSE_MS);
      }
    } catch {
      // A worker that is gone has taken its sessions along.
    }
    return leaveSharedThread(this);
  }
}

/** Calls come one at a time, so that sessions kept ready for many would only stand around. */
function poolOf({ config }: SyncSource): object {
  return { ...(config['pool'] as object | undefined), min: 0 };
}

function moduleOf({ driver }: SyncSource): string {
  if (driver.module === import.meta.url) throw bundled();
  if (driver.module !== undefined) return driver.module;
  throw new ConfigError(
    `The driver "${driver.name}" does not say which module it comes from, so a worker thread can't load it for blocking calls. Its author gives it "module: import.meta.url" in a file that exports it as "driver".`,
    { kind: 'usage', code: 'DAL_DRIVER_INVALID' },
  );
}

function closed(name: string): PoolError {
  return new PoolError(`The database "${name}" is closed; nothing can run on it any more.`, {
    kind: 'usage',
    code: 'DAL_CLOSED',
  });
}
