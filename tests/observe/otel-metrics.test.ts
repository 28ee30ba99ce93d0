import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { enableTelemetry } from '@dal/otel';
import type { Histogram, MetricData } from '@opentelemetry/sdk-metrics';
import { describe, expect, inject, test } from 'vitest';
import { levels, MetricsBackEnd, numberOf, pointsOf, totalOf } from './otel-stage.ts';

const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const ROWS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/** Every metric of database clients, with its unit. */
const units = {
  'db.client.operation.duration': 's',
  'db.client.response.returned_rows': '{row}',
  'db.client.connection.count': '{connection}',
  'db.client.connection.idle.max': '{connection}',
  'db.client.connection.idle.min': '{connection}',
  'db.client.connection.limit': '{connection}',
  'db.client.connection.pending_requests': '{request}',
  'db.client.connection.timeouts': '{timeout}',
  'db.client.connection.create_time': 's',
  'db.client.connection.wait_time': 's',
  'db.client.connection.use_time': 's',
};

/** Holds so many connections for the length of the work. */
async function holding(db: Database, count: number, work: () => Promise<void>): Promise<void> {
  const held = await Promise.all(Array.from({ length: count }, () => db.acquire()));
  try {
    await work();
  } finally {
    await Promise.all(held.map((connection) => connection.release()));
  }
}

describe.each(inject('engines'))('$name', ({ url, name: engine }) => {
  const system = engine === 'postgres' ? 'postgresql' : engine;

  test('every metric arrives, with the sums of the layer itself', async () => {
    await using backEnd = new MetricsBackEnd();
    using _ = enableTelemetry({ meterProvider: backEnd.provider, traces: false });
    const name = `metered ${engine}`;
    const having = { 'db.client.connection.pool.name': name };
    await using db = await createDatabase(url, { name, pool: { max: 2 } });

    await db.query('SELECT 1 AS one');
    const before = await backEnd.collect();
    expect(numberOf(before.get('db.client.connection.timeouts'), having)).toBe(0);

    await db.transaction(async (tx) => {
      await tx.query('SELECT 1 AS one UNION ALL SELECT 2');
      await tx.query('SELECT 1 AS one UNION ALL SELECT 2');
    });
    for await (const row of db.stream('SELECT 1 AS one UNION ALL SELECT 2').rows()) void row;
    await db.query('SELECT * FROM no_such_table').catch(() => undefined);
    await Promise.all(Array.from({ length: 20 }, () => db.query('SELECT 1 AS one')));
    await holding(db, 2, async () => {
      // Who gives up has not met a timeout.
      const signal = AbortSignal.timeout(10);
      await expect(db.acquire({ signal })).rejects.toThrow('aborted');
      await expect(db.acquire({ timeoutMs: 20 })).rejects.toThrow('No connection within');
      await expect(db.query('SELECT 1 AS late', [], { timeoutMs: 20 })).rejects.toThrow(
        'No connection within',
      );
    });

    const metrics = await backEnd.collect();
    const stats = db.pool.stats();
    for (const [metric, unit] of Object.entries(units)) {
      expect(metrics.get(metric)?.descriptor, metric).toMatchObject({ name: metric, unit });
    }
    const total = (metric: string, more?: object): { count: number; sum: number } =>
      totalOf(metrics.get(metric), { ...having, ...more });

    expect(total('db.client.connection.wait_time').count).toBe(stats.acquired);
    expect(total('db.client.connection.use_time').count).toBe(stats.released);
    expect(total('db.client.connection.use_time').sum).toBeCloseTo(stats.use.sumMs / 1_000, 3);
    expect(total('db.client.connection.create_time').count).toBe(stats.created);
    // The pool's own clock runs a little longer, and the machine may have paused in between.
    const created = total('db.client.connection.create_time').sum;
    expect(created).toBeGreaterThan(0);
    expect(created).toBeLessThanOrEqual(stats.create.sumMs / 1_000 + 1e-6);
    expect(stats.acquireTimeouts).toBe(2);
    expect(numberOf(metrics.get('db.client.connection.timeouts'), having)).toBe(2);
    expect(levels(metrics, name)).toEqual({
      idle: stats.idle,
      used: 0,
      limit: 2,
      idleMax: 2,
      idleMin: 0,
      pending: 0,
    });

    // Calls: 1 + 2 in the transaction + 1 stream + 1 failed + 20 + 1 late.
    const calls = { 'db.system.name': system };
    const duration = metrics.get('db.client.operation.duration');
    const rows = metrics.get('db.client.response.returned_rows');
    expect(totalOf(duration, calls).count).toBe(26);
    expect(totalOf(rows, calls)).toEqual({ count: 24, sum: 1 + 2 + 2 + 2 + 20 });
    const failed = pointsOf(duration, calls).filter(({ attributes }) => attributes['error.type']);
    expect(new Set(failed.map(({ attributes }) => attributes['error.type']))).toEqual(
      new Set([codes[engine], 'pool_timeout']),
    );
    expect(pointsOf(duration, { 'db.query.summary': 'SELECT no_such_table' })).toMatchObject([
      { attributes: { 'db.response.status_code': codes[engine] } },
    ]);
    for (const { attributes } of pointsOf(duration)) {
      expect(attributes).not.toHaveProperty('db.query.text');
    }

    expect(boundsOf(duration)).toEqual(SECONDS);
    expect(boundsOf(rows)).toEqual(ROWS);
    for (const times of ['create_time', 'wait_time', 'use_time']) {
      expect(boundsOf(metrics.get(`db.client.connection.${times}`))).toEqual(SECONDS);
    }
  });

  test('pools of different sizes each have their own numbers', async () => {
    await using backEnd = new MetricsBackEnd();
    using _ = enableTelemetry({ meterProvider: backEnd.provider, traces: false });
    const [small, large] = [`small ${engine}`, `large ${engine}`];
    await using one = await createDatabase(url, { name: small, pool: { max: 2, min: 1 } });
    await using two = await createDatabase(url, { name: large, pool: { max: 5, overflow: 2 } });
    await one.connect();
    await holding(two, 4, async () => {
      await holding(one, 2, async () => {
        const waiting = one.query('SELECT 1');
        const metrics = await backEnd.collect();
        expect(levels(metrics, small)).toEqual({
          idle: 0,
          used: 2,
          limit: 2,
          idleMax: 2,
          idleMin: 1,
          pending: 1,
        });
        expect(levels(metrics, large)).toMatchObject({ idle: 0, used: 4, limit: 7, idleMax: 5 });
        void waiting.catch(() => undefined);
      });
    });
    expect(levels(await backEnd.collect(), large)).toMatchObject({ idle: 4, used: 0 });
  });
});

const codes = { postgres: '42P01', mysql: '1146', mariadb: '1146', sqlite: 'SQLITE_ERROR' };

function boundsOf(metric: MetricData | undefined): number[] | undefined {
  return (pointsOf(metric)[0]?.value as Histogram | undefined)?.buckets.boundaries;
}
