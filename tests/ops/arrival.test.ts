import { createDatabase } from '@dal/factory';
import type { Connection, Database } from '@dal/core';
import { enableTelemetry } from '@dal/otel';
import {
  freePort,
  type MetricsServer,
  startPrometheus,
  startVictoriaMetrics,
  type VictoriaMetrics,
} from '@dal/testing/servers';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  callMetrics,
  type Metric,
  poolLevels,
  poolMetrics,
} from '../../packages/features/otel/src/names.ts';

const WAIT = { timeout: 20_000, interval: 200 };
const [engine] = inject('engines');

let provider: MeterProvider;
let prometheus: MetricsServer;
let victoria: VictoriaMetrics;
let large: Database;
let small: Database;
const closing = new AsyncDisposableStack();
/** Kept here, because a connection that nobody knows any more is taken back. */
const held: Connection[] = [];

// One program with two pools: fetched by a real Prometheus, and pushed to a real receiver of OTLP.
beforeAll(async () => {
  const port = await freePort();
  victoria = closing.use(await startVictoriaMetrics());
  prometheus = closing.use(
    await startPrometheus({ targets: [`127.0.0.1:${port}`], intervalMs: 250 }),
  );
  const exporter = new PrometheusExporter({ host: '127.0.0.1', port, preventServerStart: true });
  await exporter.startServer();
  const pushing = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: victoria.otlpUrl }),
    exportIntervalMillis: 3_600_000,
  });
  provider = new MeterProvider({ readers: [exporter, pushing] });
  closing.defer(() => provider.shutdown());
  closing.use(enableTelemetry({ meterProvider: provider, traces: false }));
  large = closing.use(await createDatabase(engine!.url, { name: 'large', pool: { max: 5 } }));
  small = closing.use(
    await createDatabase(engine!.url, { name: 'small', pool: { max: 2, min: 1 } }),
  );

  await Promise.all(Array.from({ length: 20 }, () => large.query('SELECT 1 AS one')));
  await expect(large.query('SELECT missing FROM nowhere')).rejects.toThrow('nowhere');
  held.push(await small.acquire(), await small.acquire());
  for (let failure = 0; failure < 3; failure++) {
    await expect(small.acquire({ timeoutMs: 20 })).rejects.toThrow('2 of 2 lent');
  }
  await held.pop()?.release();
  // From here on nothing changes: one connection of `small` stays lent.
  await provider.forceFlush();
}, 60_000);

afterAll(async () => {
  for (const connection of held) await connection.release();
  await closing.disposeAsync();
});

describe.each([
  { way: 'fetched by Prometheus', server: () => prometheus, units: {} },
  { way: 'pushed by OTLP', server: () => victoria, units: { s: '_seconds' } },
])('metrics that are $way', ({ server, units }) => {
  /** The name that a metric has there. */
  const nameOf = ({ name, unit }: Metric, part = ''): string =>
    `${name.replaceAll('.', '_')}${(units as Record<string, string>)[unit] ?? ''}${part}`;

  async function valueOf(metric: Metric, part: string, having = ''): Promise<number> {
    const found = await server().query(`sum(${nameOf(metric, part)}{${having}})`);
    return found[0]?.value ?? Number.NaN;
  }

  test('all of them arrive', async () => {
    const { timeouts, ...histograms } = { ...callMetrics, ...poolMetrics };
    const missing = async (): Promise<string[]> => {
      const expected = [
        ...Object.values(histograms).flatMap((metric) => [
          nameOf(metric, '_count'),
          nameOf(metric, '_sum'),
          nameOf(metric, '_bucket'),
        ]),
        nameOf(timeouts, '_total'),
        ...Object.values(poolLevels).map((metric) => nameOf(metric)),
      ];
      const found = await Promise.all(expected.map((name) => server().query(`count(${name})`)));
      return expected.filter((_, index) => found[index]?.length === 0);
    };
    await expect.poll(missing, WAIT).toEqual([]);
  });

  test('two pools of different sizes are told apart, and their numbers are right', async () => {
    for (const [db, used] of [
      [large, 0],
      [small, 1],
    ] as const) {
      const { idle, max, waiting, target } = db.pool.stats();
      const pool = `db_client_connection_pool_name="${db.name}"`;
      const look = async (): Promise<unknown> => ({
        used: await valueOf(poolLevels.count, '', `${pool}, db_client_connection_state="used"`),
        idle: await valueOf(poolLevels.count, '', `${pool}, db_client_connection_state="idle"`),
        limit: await valueOf(poolLevels.limit, '', pool),
        idleMax: await valueOf(poolLevels.idleMax, '', pool),
        idleMin: await valueOf(poolLevels.idleMin, '', pool),
        pending: await valueOf(poolLevels.pendingRequests, '', pool),
      });
      const { min } = db.pool.settings;
      await expect
        .poll(look, WAIT)
        .toEqual({ used, idle, limit: max, idleMax: target, idleMin: min, pending: waiting });
    }
    expect(large.pool.stats().max).toBe(5);
    expect(small.pool.stats()).toMatchObject({ max: 2, lent: 1 });
  });

  test("counts and sums equal the layer's own", async () => {
    for (const db of [large, small]) {
      const { acquireTimeouts, acquired, released, created, wait, use, create } = db.pool.stats();
      const pool = `db_client_connection_pool_name="${db.name}"`;
      const look = async (): Promise<unknown> => ({
        acquireTimeouts: await valueOf(poolMetrics.timeouts, '_total', pool),
        acquired: await valueOf(poolMetrics.waitTime, '_count', pool),
        released: await valueOf(poolMetrics.useTime, '_count', pool),
        created: await valueOf(poolMetrics.createTime, '_count', pool),
      });
      await expect.poll(look, WAIT).toEqual({ acquireTimeouts, acquired, released, created });
      // Seconds there, milliseconds here.
      const seconds = (metric: Metric): Promise<number> => valueOf(metric, '_sum', pool);
      expect(await seconds(poolMetrics.useTime)).toBeCloseTo(use.sumMs / 1_000, 6);
      expect(await seconds(poolMetrics.createTime)).toSatisfy(isAbout(create.sumMs / 1_000));
      expect(await seconds(poolMetrics.waitTime)).toSatisfy(isAbout(wait.sumMs / 1_000));
    }
    expect(small.pool.stats().acquireTimeouts).toBe(3);
  });

  test('calls are counted with their outcome', async () => {
    const calls = nameOf(callMetrics.duration, '_count');
    const count = (having: string) => async () =>
      (await server().query(`sum(${calls}{${having}})`))[0]?.value;
    await expect.poll(count('error_type=""'), WAIT).toBe(20);
    await expect.poll(count('error_type!=""'), WAIT).toBe(1);
    await expect.poll(count('db_query_summary="SELECT nowhere"'), WAIT).toBe(1);
    await expect.poll(() => valueOf(callMetrics.returnedRows, '_sum'), WAIT).toBe(20);
  });

  test('the buckets are made for seconds', async () => {
    const found = await server().query(`sum by (le) (${nameOf(poolMetrics.waitTime, '_bucket')})`);
    const bounds = found
      .map(({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')))
      .toSorted((a, b) => a - b);
    expect(bounds).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, Infinity]);
  });

  test('the service and its server can be asked for', async () => {
    const [found] = await server().query(
      `${nameOf(callMetrics.duration, '_count')}{error_type=""}`,
    );
    expect(found?.labels).toMatchObject({ db_system_name: expect.stringMatching(/^\w+$/) });
    expect(found?.labels['job'] ?? found?.labels['service_name']).toBeTruthy();
  });
});

/** Two clocks look at the same thing, the outer one a moment longer. */
function isAbout(seconds: number): (told: number) => boolean {
  return (told) => told >= seconds * 0.9 && told <= seconds * 2;
}
