import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { createDatabase } from '@dal/factory';
import { enableTelemetry } from '@dal/otel';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { expect, inject, test } from 'vitest';

interface Point {
  readonly attributes: readonly { key: string; value: Readonly<Record<string, unknown>> }[];
  readonly count?: number | string;
  readonly asInt?: number | string;
  readonly asDouble?: number;
  readonly explicitBounds?: readonly number[];
}

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { isMonotonic: boolean; dataPoints: readonly Point[] };
  readonly histogram?: { dataPoints: readonly Point[] };
}

interface Push {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
}

/** Takes what is pushed, as a collector would. */
async function openReceiver(): Promise<{ url: string; pushes: Push[] } & AsyncDisposable> {
  const pushes: Push[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      pushes.push(body as Push);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/metrics`,
    pushes,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('metrics that are pushed arrive with names, units, bounds and sums', async () => {
  await using receiver = await openReceiver();
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: receiver.url }),
    exportIntervalMillis: 3_600_000,
  });
  const provider = new MeterProvider({ readers: [reader] });
  using _ = enableTelemetry({ meterProvider: provider, traces: false });
  const [engine] = inject('engines');
  await using db = await createDatabase(engine!.url, { name: 'pushed', pool: { max: 2 } });
  await Promise.all(Array.from({ length: 7 }, () => db.query('SELECT 1 AS one')));
  await provider.forceFlush();
  const stats = db.pool.stats();
  await provider.shutdown();

  const [push] = receiver.pushes;
  const metrics = new Map(
    push!.resourceMetrics
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      .map((metric) => [metric.name, metric]),
  );
  const names = [...metrics.keys()].filter((name) => name.startsWith('db.client.'));
  expect(names).toHaveLength(11);

  const duration = metrics.get('db.client.operation.duration');
  expect(duration?.unit).toBe('s');
  const [calls] = duration!.histogram!.dataPoints;
  expect(Number(calls?.count)).toBe(7);
  expect(calls?.explicitBounds).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]);
  expect(attributesOf(calls!)).toMatchObject({
    'db.system.name': expect.any(String),
    'db.query.summary': 'SELECT',
  });

  const waits = metrics.get('db.client.connection.wait_time')!.histogram!.dataPoints[0];
  expect(Number(waits?.count)).toBe(stats.acquired);
  const count = metrics.get('db.client.connection.count');
  expect(count).toMatchObject({ unit: '{connection}', sum: { isMonotonic: false } });
  const byState = count!.sum!.dataPoints.map((point) => [
    attributesOf(point)['db.client.connection.state'],
    Number(point.asInt ?? point.asDouble),
  ]);
  expect(Object.fromEntries(byState)).toEqual({ idle: stats.idle, used: 0 });
  const timeouts = metrics.get('db.client.connection.timeouts');
  expect(timeouts).toMatchObject({ unit: '{timeout}', sum: { isMonotonic: true } });
  expect(
    Number(timeouts!.sum!.dataPoints[0]?.asInt ?? timeouts!.sum!.dataPoints[0]?.asDouble),
  ).toBe(0);
});

function attributesOf({ attributes }: Point): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
