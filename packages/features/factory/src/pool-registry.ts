import { type CloseOptions, type CloseReport, durationMs, type PoolStats } from '@dal/core';
import type { JoinedPool, PoolRequest, PoolSource } from '@dal/database';
import { type HealthReport, reportHealth } from './health-report.ts';

/** A pool that databases of one configuration share. */
export interface SharedPoolStatus {
  /** See `db.configHash`. */
  readonly configHash: string;
  /** The name of the database that made it. */
  readonly name: string;
  readonly driver: string;
  /** How many databases have it and are not closed. */
  readonly databases: number;
  readonly state: 'idle' | 'open' | 'closing' | 'closed';
  readonly pool: PoolStats;
}

export interface SharedPoolHealth extends HealthReport {
  readonly configHash: string;
  readonly name: string;
}

export interface SharedPoolMetrics {
  readonly configHash: string;
  readonly name: string;
  readonly totalAcquired: number;
  readonly totalReleased: number;
  readonly currentActive: number;
  readonly peakActive: number;
  readonly errors: number;
  readonly timeouts: number;
}

interface Entry {
  readonly pool: JoinedPool['pool'];
  readonly request: PoolRequest;
  /** The same options may be written in several ways. */
  readonly hashes: Set<string>;
  users: number;
}

/** Different spellings that are remembered for one pool. */
const MOST_HASHES = 100;

/**
 * The pools of this process that are shared: databases with the same options, secrets included, have
 * one together. It is closed with the last of them.
 */
export class PoolRegistry implements PoolSource {
  readonly #entries = new Map<string, Entry>();

  join(request: PoolRequest): JoinedPool {
    const entry = this.#find(request) ?? this.#make(request);
    entry.users++;
    if (entry.hashes.size < MOST_HASHES) entry.hashes.add(request.configHash);
    const leave = (): boolean => {
      entry.users--;
      if (entry.users === 0) this.#forget(request.key, entry);
      return entry.users === 0;
    };
    return { pool: entry.pool, leave };
  }

  /** What the pools do now: all of them, or those of one configuration. */
  status(configHash?: string): SharedPoolStatus[] {
    return this.#select(configHash).map(({ pool, request, users }) => ({
      configHash: request.configHash,
      name: request.name,
      driver: request.driver.name,
      databases: users,
      state: pool.state,
      pool: pool.stats(),
    }));
  }

  /** The counts that matter most; all others are in `status`. */
  metrics(configHash?: string): SharedPoolMetrics[] {
    return this.status(configHash).map(({ configHash: hash, name, pool }) => ({
      configHash: hash,
      name,
      totalAcquired: pool.acquired,
      totalReleased: pool.released,
      currentActive: pool.lent,
      peakActive: pool.peakLent,
      errors: pool.connectErrors + pool.lostConnections + pool.validationErrors,
      timeouts: pool.acquireTimeouts,
    }));
  }

  /** Asks the servers of all pools, or of one configuration, for a sign of life at the same time. Never rejects. */
  async health(
    configHash?: string,
    options: { readonly timeoutMs?: number | string } = {},
  ): Promise<SharedPoolHealth[]> {
    const timeoutMs = durationMs(options.timeoutMs ?? 5_000, 'health.timeoutMs');
    return Promise.all(
      this.#select(configHash).map(async ({ pool, request }) => ({
        configHash: request.configHash,
        name: request.name,
        ...(await reportHealth(() => request.ping(pool, timeoutMs))),
      })),
    );
  }

  /**
   * Closes pools under the databases that share them: all, or those of one configuration, in the way
   * of `db.close()`: who has a connection may use it for `timeoutMs`, then it is rolled back and
   * destroyed. Later calls are refused; a database that is opened afterwards gets a new pool.
   */
  async close(
    configHash?: string,
    { timeoutMs = 60_000, force = false }: CloseOptions = {},
  ): Promise<CloseReport[]> {
    const limitMs = force ? 0 : durationMs(timeoutMs, 'close.timeoutMs');
    const entries = this.#select(configHash);
    for (const entry of entries) this.#forget(entry.request.key, entry);
    return Promise.all(entries.map(({ pool }) => pool.close(limitMs)));
  }

  #find({ key }: PoolRequest): Entry | undefined {
    const entry = this.#entries.get(key);
    const isOver = entry?.pool.state === 'closing' || entry?.pool.state === 'closed';
    return isOver ? undefined : entry;
  }

  #make(request: PoolRequest): Entry {
    const entry: Entry = { pool: request.make(), request, hashes: new Set(), users: 0 };
    this.#entries.set(request.key, entry);
    return entry;
  }

  #forget(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #select(configHash: string | undefined): Entry[] {
    return [...this.#entries.values()].filter(
      ({ hashes }) => configHash === undefined || hashes.has(configHash),
    );
  }
}

const slot = Symbol.for('dal.pools/1');
const holder = globalThis as { [slot]?: PoolRegistry };

/** The registry that `createDatabase` uses: one for the process, also when modules are loaded again. */
export const poolRegistry: PoolRegistry = (holder[slot] ??= new PoolRegistry());
