import {
  type AcquireOptions,
  type Deadline,
  type DriverVersion,
  type Fault,
  isDalError,
  type NativeResult,
  type StatementOptions,
  type SyncConnection,
  type SyncDatabase,
  type SyncTransaction,
  type TransactionOptions,
} from '@dal/core';
import type { SyncSource, SyncTwin } from '@dal/database';
import { backoff, retryVerdict, transactionVerdict } from '@dal/resilience';
import { askVersion, DirectConnection, DirectTransaction, transactionOn } from './direct-scope.ts';
import { type Compiled, connectDirectly, DirectSession } from './direct-session.ts';
import { DirectStatements } from './direct-statements.ts';
import { refusePromise } from './refuse-promise.ts';

/** A twin without a worker; undefined where the driver has no sessions of the calling thread. */
export function openDirectDatabase(source: SyncSource): SyncTwin | undefined {
  const connection = connectDirectly(source);
  if (connection === undefined) return undefined;
  const database = new DirectDatabase(new DirectSession(source, connection));
  return { database, close: () => Promise.resolve(database.close()) };
}

class DirectDatabase extends DirectStatements implements SyncDatabase {
  get name(): string {
    return this.session.source.name;
  }

  connect(): void {
    this.ping();
  }

  ping(_options?: AcquireOptions): void {
    this.session.checkFree();
    this.session.say(this.dialect.ping);
  }

  isHealthy(options?: AcquireOptions): boolean {
    try {
      this.ping(options);
      return true;
    } catch {
      return false;
    }
  }

  version(options?: AcquireOptions): DriverVersion {
    return askVersion(this.session.source, options);
  }

  connection<T>(callback: (connection: SyncConnection) => T, _options?: AcquireOptions): T {
    return this.session.hold(() => {
      const connection = new DirectConnection(this.session);
      try {
        const result = callback(connection);
        refusePromise(result);
        return result;
      } finally {
        connection.end();
        this.session.reset();
      }
    });
  }

  transaction<T>(callback: (tx: SyncTransaction) => T, options: TransactionOptions = {}): T {
    const { retries = 0 } = options;
    return again(this.session.source, retries, transactionVerdict, () =>
      this.session.hold(() => transactionOn(this.session, callback, options)),
    );
  }

  close(): void {
    this.session.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected run(statement: Compiled, deadline: Deadline, options: StatementOptions): NativeResult {
    this.session.checkFree();
    const { source } = this.session;
    const facts = { autocommit: true, idempotent: options.idempotent === true };
    return again(
      source,
      source.retry.maxRetries,
      (fault) => retryVerdict(fault, facts),
      () => this.session.run(statement, deadline),
    );
  }

  protected allOrNothing<T>(work: (on: DirectStatements) => T): T {
    return this.transaction((tx) => work(tx as DirectTransaction));
  }
}

/** Runs work again for as long as the verdict allows it; the thread sleeps in between. */
function again<T>(
  source: SyncSource,
  retries: number,
  verdict: (fault: Fault) => boolean,
  work: () => T,
): T {
  const earlier: Error[] = [];
  let nextDelay: (() => number) | undefined;
  for (;;) {
    try {
      return work();
    } catch (error) {
      const fault = isDalError(error) ? error.fault : undefined;
      if (isDalError(error) && earlier.length > 0) error.attempts = [...earlier];
      if (fault === undefined || earlier.length >= retries || !verdict(fault)) throw error;
      earlier.push(error as Error);
      nextDelay ??= backoff(source.retry);
      sleep(nextDelay());
    }
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
