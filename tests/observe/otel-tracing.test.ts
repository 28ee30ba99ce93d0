import { createDatabase } from '@dal/factory';
import { enableTelemetry } from '@dal/otel';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AlwaysOffSampler, type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { inSpan, MetricsBackEnd, only, pointsOf, SpansBackEnd, totalOf } from './otel-stage.ts';

// One engine is enough for these.
const engines = inject('engines');
const { url } = engines[0] as (typeof engines)[number];

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterAll(() => {
  context.disable();
});

test('a span of another trace is nobody’s parent', async () => {
  await using backEnd = new SpansBackEnd();
  using _ = enableTelemetry({ tracerProvider: backEnd.provider, metrics: false, spans: 'calls' });
  await using db = await createDatabase(url);
  await db.transaction(async (tx) => {
    await inSpan(backEnd, 'a trace of its own', () => tx.query('SELECT 1 AS one'));
  });
  const paths = ['TRANSACTION', 'TRANSACTION > SELECT', 'a trace of its own'];
  expect(new Set(backEnd.paths())).toEqual(new Set(paths));
});

test('a sampler sees the attributes at the beginning', async () => {
  const seen: object[] = [];
  const sampler: Sampler = {
    shouldSample(_context, _trace, name, _kind, attributes) {
      seen.push({ name, ...attributes });
      return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    },
    toString: () => 'curious',
  };
  await using backEnd = new SpansBackEnd({ sampler });
  using _ = enableTelemetry({ tracerProvider: backEnd.provider, metrics: false, spans: 'calls' });
  await using db = await createDatabase(url);
  await db.query('SELECT 1 AS one');
  expect(seen).toMatchObject([
    {
      name: 'SELECT',
      'db.query.summary': 'SELECT',
      'db.query.text': 'SELECT ? AS one',
      'db.system.name': expect.any(String),
      'db.namespace': expect.any(String),
    },
  ]);
});

test('what is not sampled costs nobody a trace', async () => {
  await using backEnd = new SpansBackEnd({ sampler: new AlwaysOffSampler() });
  using _ = enableTelemetry({ tracerProvider: backEnd.provider, metrics: false, spans: 'all' });
  await using db = await createDatabase(url);
  await db.transaction((tx) => tx.query('SELECT 1'));
  expect(backEnd.spans).toEqual([]);
});

test('a provider that fails harms nobody', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  const broken = (): never => {
    throw new Error('the back end is on fire');
  };
  const provider = {
    getTracer: () => ({ startSpan: broken, startActiveSpan: broken }),
  };
  using _ = enableTelemetry({ tracerProvider: provider, metrics: false, spans: 'all' });
  await using db = await createDatabase(url);
  const rows = await db.transaction((tx) => tx.query('SELECT 1 AS one'));
  expect(rows).toHaveLength(1);
  await new Promise(setImmediate);
  process.off('warning', note);
  expect(warnings.map((warning) => (warning as { code?: string }).code)).toEqual([
    'DAL_TELEMETRY_FAILED',
  ]);
});

test('a database in memory is inside, and a share of the spans is enough for SQLite', async () => {
  await using backEnd = new SpansBackEnd();
  await using metrics = new MetricsBackEnd();
  await using db = await createDatabase('sqlite::memory:');
  {
    using _ = enableTelemetry({ tracerProvider: backEnd.provider, metrics: false });
    await db.query('SELECT 1 AS one');
    expect(only(backEnd.spans, 'SELECT').kind).toBe(SpanKind.INTERNAL);
  }
  backEnd.reset();
  using _ = enableTelemetry({
    tracerProvider: backEnd.provider,
    meterProvider: metrics.provider,
    sqliteSpanRatio: 0.2,
    spans: 'all',
  });
  for (let index = 0; index < 400; index++) {
    // oxlint-disable-next-line no-await-in-loop -- one after another
    await db.transaction((tx) => tx.query('SELECT 1 AS one'));
  }
  const count = (name: string): number => backEnd.spans.filter((span) => span.name === name).length;
  // 80 are expected; 30 off would be four standard deviations.
  expect(count('TRANSACTION')).toBeGreaterThan(40);
  expect(count('TRANSACTION')).toBeLessThan(120);
  expect(count('SELECT')).toBe(count('TRANSACTION'));
  expect(count('COMMIT')).toBe(count('TRANSACTION'));
  const duration = (await metrics.collect()).get('db.client.operation.duration');
  expect(pointsOf(duration)).toHaveLength(1);
  expect(totalOf(duration).count).toBe(400);
});

test('the program may set its providers later', async () => {
  await using spans = new SpansBackEnd();
  using _ = enableTelemetry({ metrics: false });
  await using db = await createDatabase(url);
  await db.query('SELECT 1 AS early');
  trace.setGlobalTracerProvider(spans.provider);
  try {
    await db.query('SELECT 1 AS late');
  } finally {
    trace.disable();
  }
  expect(spans.spans.filter(({ name }) => name === 'SELECT')).toHaveLength(1);
});
