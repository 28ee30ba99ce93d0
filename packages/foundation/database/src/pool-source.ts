import {
  channels,
  ConnectionError,
  type Driver,
  deadlineAfter,
  type PoolSettings,
  remainingMs,
  secretTag,
  within,
} from '@dal/core';
import { pingConnection, Pool, type PoolParts, PoolShare } from '@dal/pool';
import type { Hooks } from './hooks.ts';
import { toDalError } from './to-dal-error.ts';

/** Where a database gets its pool from, when databases of one configuration share one. */
export interface PoolSource {
  /** Joins those who share the pool of this configuration; makes it when there is none. */
  join(request: PoolRequest): JoinedPool;
}

export interface PoolRequest {
  /**
   * The same for everything that may share a pool: driver, options, secrets and the pool's own
   * options. Means something in this process only, and holds nothing that could be read from it.
   */
  readonly key: string;
  readonly configHash: string;
  /** The database's name. */
  readonly name: string;
  readonly driver: Driver;
  make(): Pool;
  /** Asks for a sign of life on a connection of the pool. */
  ping(pool: Pool, timeoutMs: number): Promise<void>;
}

export interface JoinedPool {
  readonly pool: Pool;
  /** Once. True: nobody else has a part any more. */
  leave(): boolean;
}

interface Wanted {
  readonly name: string;
  readonly configHash: string;
  readonly parts: PoolParts<unknown, unknown>;
  readonly hooks: Hooks;
}

/** A pool for one database alone, or its part of one from the source. */
export function poolFor(
  { name, configHash, parts, hooks }: Wanted,
  source: PoolSource | undefined,
): Pool | PoolShare {
  const onEvent: NonNullable<typeof parts.onEvent> = (event, lease) => {
    hooks.emit(event, { database: name, ...lease });
    channels.leak.publish({ database: name, back: event === 'unleaked', ...lease });
  };
  const tellLimits = (pool: Pool): (() => void) =>
    pool.onLimit((event) => hooks.emit('poolLimited', { database: name, ...event }));
  if (source === undefined) {
    const pool = new Pool({ ...parts, onEvent });
    tellLimits(pool);
    return pool;
  }
  const { driver, options, settings } = parts;
  const { pool, leave } = source.join({
    key: `${driver.name} ${identity(driver)} ${secretTag({ options, pool: shareable(settings) })}`,
    configHash,
    name,
    driver,
    make: () => new Pool(parts),
    ping: (which, timeoutMs) => pingPool(which, driver, timeoutMs),
  });
  const stop = tellLimits(pool);
  return new PoolShare({
    name,
    pool,
    onEvent,
    leave() {
      stop();
      return leave();
    },
  });
}

/** How long a caller waits is each database's own matter. */
function shareable(settings: PoolSettings): object {
  return { ...settings, acquireTimeoutMs: undefined };
}

// A driver is the same when it comes from the same module, also when that was loaded anew.
function identity(driver: Driver): string {
  return driver.module?.replace(/[?#].*$/, '') ?? secretTag({ connect: driver.connect });
}

async function pingPool(pool: Pool, driver: Driver, timeoutMs: number): Promise<void> {
  const deadline = deadlineAfter(timeoutMs);
  try {
    const lease = await pool.acquire(deadline, 'statement');
    const ping = pingConnection(lease.session.connection, driver.dialect);
    let failure: unknown;
    const outcome = await within(
      remainingMs(deadline),
      ping.catch((error: unknown) => {
        failure = error;
        throw error;
      }),
    );
    if (outcome === 'done') {
      await pool.release(lease);
      return;
    }
    pool.discard(lease);
    throw outcome === 'failed' ? failure : noAnswer(pool.name, timeoutMs);
  } catch (error) {
    throw toDalError(driver, pool.name, error);
  }
}

function noAnswer(name: string, timeoutMs: number): ConnectionError {
  return new ConnectionError(`"${name}" gave no sign of life within ${Math.round(timeoutMs)} ms.`, {
    kind: 'connection',
    code: 'DAL_PING_TIMEOUT',
  });
}
