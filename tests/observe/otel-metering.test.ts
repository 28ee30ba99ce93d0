import { channels, observedPools } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { enableTelemetry } from '@dal/otel';
import { metrics as program } from '@opentelemetry/api';
import { expect, inject, test } from 'vitest';
import { levels, MetricsBackEnd, numberOf, pointsOf, totalOf } from './otel-stage.ts';

// One engine is enough for these.
const engines = inject('engines');
const { url } = engines[0] as (typeof engines)[number];

test('two databases of one name have series of their own', async () => {
  await using backEnd = new MetricsBackEnd();
  using _ = enableTelemetry({ meterProvider: backEnd.provider, traces: false });
  await using one = await createDatabase(url, { name: 'twin', pool: { max: 1 } });
  await using two = await createDatabase(url, { name: 'twin', pool: { max: 2 } });
  await one.query('SELECT 1');
  await two.query('SELECT 1');
  const metrics = await backEnd.collect();
  expect(levels(metrics, 'twin')).toMatchObject({ limit: 1 });
  expect(levels(metrics, 'twin (2)')).toMatchObject({ limit: 2 });
});

test('a pool without a name has that of its server', async () => {
  await using backEnd = new MetricsBackEnd();
  using _ = enableTelemetry({ meterProvider: backEnd.provider, traces: false });
  await using db = await createDatabase(url, { pool: { max: 1 } });
  await db.query('SELECT 1');
  const pool = [...observedPools].at(-1);
  const { address, port, namespace } = pool!.server;
  const name = address === undefined ? namespace : `${address}:${port}/${namespace}`;
  expect(levels(await backEnd.collect(), name as string)).toMatchObject({ limit: 1 });
});

test('nothing is left of a closed pool', async () => {
  await using backEnd = new MetricsBackEnd();
  using _ = enableTelemetry({ meterProvider: backEnd.provider, traces: false });
  const db = await createDatabase(url, { name: 'gone soon' });
  await db.query('SELECT 1');
  expect(levels(await backEnd.collect(), 'gone soon')).toMatchObject({ idle: 1, used: 0 });
  await db.close();
  const none = { idle: 0, used: 0, limit: 0, idleMax: 0, idleMin: 0, pending: 0 };
  expect(levels(await backEnd.collect(), 'gone soon')).toEqual(none);
  await using again = await createDatabase(url, { name: 'gone soon' });
  await again.query('SELECT 1');
  expect(levels(await backEnd.collect(), 'gone soon')).toMatchObject({ idle: 1, limit: 10 });
});

test('what is off is off', async () => {
  await using backEnd = new MetricsBackEnd();
  using _ = enableTelemetry({
    meterProvider: backEnd.provider,
    traces: false,
    metricsOff: ['db.client.response.returned_rows', 'db.client.connection.count'],
  });
  await using db = await createDatabase(url);
  await db.query('SELECT 1');
  const names = [...(await backEnd.collect()).keys()];
  expect(names).toHaveLength(9);
  expect(names).not.toContain('db.client.response.returned_rows');
});

test('the program may set its provider later', async () => {
  await using backEnd = new MetricsBackEnd();
  using _ = enableTelemetry({ traces: false });
  await using db = await createDatabase(url, { name: 'late' });
  await db.query('SELECT 1');
  program.setGlobalMeterProvider(backEnd.provider);
  try {
    await db.query('SELECT 1');
  } finally {
    program.disable();
  }
  const arrived = await backEnd.collect();
  expect(totalOf(arrived.get('db.client.operation.duration')).count).toBe(1);
  expect(levels(arrived, 'late')).toMatchObject({ idle: 1, limit: 10 });
  expect(numberOf(arrived.get('db.client.connection.timeouts'))).toBe(0);
});

test('however many tables there are, series are few', async () => {
  await using backEnd = new MetricsBackEnd();
  using _ = enableTelemetry({ meterProvider: backEnd.provider, traces: false });
  await using db = await createDatabase(url, { name: 'tenants' });
  for (let index = 0; index < 700; index++) {
    // oxlint-disable-next-line no-await-in-loop -- one after another
    await db.query(
      `SELECT ${index} AS n FROM (SELECT 1 AS one) tenant_${index}, (SELECT 1 AS two) b`,
    );
  }
  for (let index = 0; index < 700; index++) {
    // oxlint-disable-next-line no-await-in-loop -- one after another
    await db.query(`WITH t_${index} AS (SELECT 1 AS one) SELECT one FROM t_${index}`);
  }
  const points = pointsOf((await backEnd.collect()).get('db.client.operation.duration'));
  expect(points.length).toBeLessThanOrEqual(501);
  expect(points.length).toBeGreaterThan(400);
  expect(totalOf((await backEnd.collect()).get('db.client.operation.duration')).count).toBe(1_400);
});

test('the level of @dal/scaling is told with the pools', async () => {
  await using backEnd = new MetricsBackEnd();
  using _ = enableTelemetry({ meterProvider: backEnd.provider, traces: false });
  await using db = await createDatabase(url, { name: 'pressed' });
  await db.query('SELECT 1');
  expect((await backEnd.collect()).get('dal.scaling.level')?.dataPoints ?? []).toEqual([]);
  const pool = [...observedPools].find(({ name }) => name === 'pressed');
  channels.scaling.publish({ pool, level: 'high' });
  const metric = (await backEnd.collect()).get('dal.scaling.level');
  expect(numberOf(metric, { 'db.client.connection.pool.name': 'pressed' })).toBe(2);
});

test('after it is switched off nobody listens, and nothing more arrives', async () => {
  await using backEnd = new MetricsBackEnd();
  const telemetry = enableTelemetry({ meterProvider: backEnd.provider });
  expect(listening()).not.toEqual([]);
  await using db = await createDatabase(url, { name: 'quiet' });
  await db.query('SELECT 1');
  telemetry.disable();
  telemetry.disable();
  expect(listening()).toEqual([]);
  await db.query('SELECT 1');
  const metrics = await backEnd.collect();
  expect(totalOf(metrics.get('db.client.operation.duration')).count).toBe(1);
  expect(pointsOf(metrics.get('db.client.connection.count'))).toEqual([]);
});

function listening(): string[] {
  return Object.entries(channels)
    .filter(([, channel]) => (channel as { hasSubscribers: boolean }).hasSubscribers)
    .map(([name]) => name);
}
