import { deadlineAfter } from '@dal/core';
import { type Lease, Pool as DalPool, readPoolOptions } from '@dal/pool';
import { createPool as createGenericPool } from 'generic-pool';
import { createPool as createLightningPool } from 'lightning-pool';
import { type ClientBase, Pool as PgPool, type PoolClient } from 'pg';
import { Pool as SequelizePool } from 'sequelize-pool';
import { Pool as Tarn } from 'tarn';
import { BareFifo } from './bare-fifo.ts';
import { mysql2Pool, mysql2PromisePool } from './checkout-mysql2.ts';
import { stillDriver } from './still-driver.ts';

/** A pool by itself. */
export interface CheckoutContender<Held = unknown> {
  readonly name: string;
  /** `floor`: what no pool can do without, and no pool. */
  readonly side: 'floor' | 'dal' | 'rival';
  acquire(): Promise<Held>;
  release(held: Held): unknown;
  close(): Promise<unknown>;
}

const ACQUIRE_TIMEOUT_MS = 10_000;

/**
 * Everybody as it comes, with as many resources as they may have. Deadlines are on where that is the
 * default: in DAL, tarn and sequelize-pool. The others get a second entry with theirs.
 */
export function checkoutContenders(resources: number): CheckoutContender[] {
  return [
    bareFifo(resources),
    dalPool(resources, 'dal'),
    dalPool(resources, 'dal, one statement', { purpose: 'statement' }),
    dalPool(resources, 'dal, no stacks', { acquireStacks: 'never' }),
    lightningPool(resources, 'lightning-pool'),
    lightningPool(resources, 'lightning-pool, timeout', ACQUIRE_TIMEOUT_MS),
    mysql2Pool(resources),
    mysql2PromisePool(resources),
    genericPool(resources, 'generic-pool'),
    genericPool(resources, 'generic-pool, timeout', ACQUIRE_TIMEOUT_MS),
    pgPool(resources, 'pg-pool'),
    pgPool(resources, 'pg-pool, timeout', ACQUIRE_TIMEOUT_MS),
    sequelizePool(resources),
    tarn(resources),
  ];
}

/** None of them may wait for more callers than this; it is the same number for all that have one. */
export const MOST_WAITING = 100_000;

function bareFifo(resources: number): CheckoutContender<object> {
  const fifo = new BareFifo(Array.from({ length: resources }, () => ({})));
  return {
    name: 'bare queue',
    side: 'floor',
    acquire: () => fifo.acquire(),
    release: (resource) => fifo.release(resource),
    close: () => Promise.resolve(),
  };
}

interface DalWay {
  readonly acquireStacks?: 'never';
  readonly purpose?: 'statement';
}

function dalPool(
  max: number,
  name: string,
  { acquireStacks, purpose }: DalWay = {},
): CheckoutContender<Lease> {
  const settings = readPoolOptions({
    max,
    maxWaiting: MOST_WAITING,
    ...(acquireStacks && { acquireStacks }),
  });
  const pool = new DalPool({ name, driver: stillDriver, options: {}, settings });
  return {
    name,
    side: 'dal',
    // One look at the clock is enough for both, as in every call of the database.
    acquire: () => {
      const deadline = deadlineAfter(ACQUIRE_TIMEOUT_MS);
      return pool.acquire(deadline, purpose, deadline.startedAt);
    },
    release: (lease) => pool.release(lease),
    close: () => pool.close(1_000),
  };
}

function lightningPool(
  max: number,
  name: string,
  acquireTimeoutMillis?: number,
): CheckoutContender<object> {
  const pool = createLightningPool<object>(
    {
      create: () => Promise.resolve({}),
      destroy: () => Promise.resolve(),
    },
    {
      max,
      min: 0,
      maxQueue: MOST_WAITING,
      ...(acquireTimeoutMillis !== undefined && { acquireTimeoutMillis }),
    },
  );
  pool.start();
  return {
    name,
    side: 'rival',
    acquire: () => pool.acquire(),
    release: (resource) => pool.release(resource),
    close: async () => pool.close(0),
  };
}

function genericPool(
  max: number,
  name: string,
  acquireTimeoutMillis?: number,
): CheckoutContender<object> {
  const pool = createGenericPool<object>(
    { create: () => Promise.resolve({}), destroy: () => Promise.resolve() },
    {
      max,
      min: 0,
      ...(acquireTimeoutMillis !== undefined && { acquireTimeoutMillis }),
    },
  );
  return {
    name,
    side: 'rival',
    acquire: () => pool.acquire(),
    // Its promise tells of nothing that a borrower waits for.
    release: (resource) => void pool.release(resource),
    close: async () => {
      await pool.drain();
      await pool.clear();
    },
  };
}

/** What pg-pool asks of a client, and nothing behind it. */
class StillClient {
  readonly _queryable = true;

  connect(connected: (error?: Error) => void): void {
    setImmediate(connected);
  }

  end(ended?: () => void): Promise<void> {
    ended?.();
    return Promise.resolve();
  }

  on(): this {
    return this;
  }

  once(): this {
    return this;
  }

  removeListener(): this {
    return this;
  }

  getTypeParser(): unknown {
    return undefined;
  }

  ref(): void {}

  unref(): void {}
}

function pgPool(
  max: number,
  name: string,
  connectionTimeoutMillis?: number,
): CheckoutContender<PoolClient> {
  const pool = new PgPool({
    max,
    Client: StillClient as unknown as new () => ClientBase,
    ...(connectionTimeoutMillis !== undefined && { connectionTimeoutMillis }),
  });
  return {
    name,
    side: 'rival',
    acquire: () => pool.connect(),
    release: (client) => client.release(),
    close: () => pool.end(),
  };
}

function sequelizePool(max: number): CheckoutContender<object> {
  const pool = new SequelizePool<object>({
    create: () => Promise.resolve({}),
    destroy: () => undefined,
    validate: () => true,
    max,
    min: 0,
  });
  return {
    name: 'sequelize-pool',
    side: 'rival',
    acquire: () => pool.acquire(),
    release: (resource) => pool.release(resource),
    close: async () => {
      await pool.drain();
      await pool.destroyAllNow();
    },
  };
}

function tarn(max: number): CheckoutContender<object> {
  const pool = new Tarn<object>({
    create: () => ({}),
    destroy: () => undefined,
    min: 0,
    max,
  });
  return {
    name: 'tarn',
    side: 'rival',
    acquire: () => pool.acquire().promise,
    release: (resource) => pool.release(resource),
    close: () => pool.destroy(),
  };
}
