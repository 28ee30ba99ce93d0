// A program that uses telemetry of others too; prints what arrived. `pg` must not have been loaded before
// its instrumentation, so this is a process of its own.
//
//   node --conditions=@dal/source otel-beside-program.ts <url>
import { createRequire } from 'node:module';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { MetricsBackEnd, SpansBackEnd } from './otel-stage.ts';

const url = process.argv[2] as string;
const ours = new MetricsBackEnd();
const theirs = new MetricsBackEnd();
const spans = new SpansBackEnd();
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
for (const instrumentation of [new PgInstrumentation(), new MySQL2Instrumentation()]) {
  instrumentation.setTracerProvider(spans.provider);
  instrumentation.setMeterProvider(theirs.provider);
}
const warnings: (string | undefined)[] = [];
process.on('warning', (warning) => warnings.push((warning as { code?: string }).code));

const { createDatabase } = await import('@dal/factory');
const { enableTelemetry } = await import('@dal/otel');
using _telemetry = enableTelemetry({
  meterProvider: ours.provider,
  tracerProvider: spans.provider,
});

const tracer = spans.provider.getTracer('program');
const report: Record<string, unknown> = {};
{
  await using db = await createDatabase(url, { name: 'beside', pool: { max: 2 } });
  await tracer.startActiveSpan('request', async (span) => {
    await db.query('SELECT 1 AS one');
    await db.query('SELECT 2 AS two');
    await db.transaction((tx) => tx.query('SELECT 3 AS three'));
    span.end();
  });
  report['paths'] = spans.paths().toSorted();
  report['traces'] = new Set(
    spans.spans
      .filter(({ instrumentationScope }) => instrumentationScope.name === '@dal/otel')
      .map((span) => span.spanContext().traceId),
  ).size;
}
if (url.startsWith('postgres')) report['pools'] = await twoPools();
await new Promise(setImmediate);
report['warnings'] = warnings;
console.log(JSON.stringify(report));
for (const backEnd of [ours, theirs, spans]) await backEnd[Symbol.asyncDispose]();

interface PgPool {
  connect(): Promise<{ release(): void }>;
  end(): Promise<void>;
}

/** The same on both sides: of a pool of two, two are lent; of a pool of five, three. */
async function twoPools(): Promise<object> {
  const pg = createRequire(import.meta.resolve('@dal/postgres'))('pg') as {
    Pool: new (options: object) => PgPool;
  };
  const { hostname: host, port, username: user, password, pathname } = new URL(url);
  const server = { host, port: Number(port), user, password, database: pathname.slice(1) };
  const [small, large] = [
    new pg.Pool({ ...server, max: 2 }),
    new pg.Pool({ ...server, max: 5 }),
  ] as const;
  await using one = await createDatabase(url, { name: 'small', pool: { max: 2 } });
  await using two = await createDatabase(url, { name: 'large', pool: { max: 5 } });
  const held = await Promise.all([one, one, two, two, two].map((db) => db.acquire()));
  const theirHeld = await Promise.all(
    [small, small, large, large, large].map((pool) => pool.connect()),
  );
  const answer = { dal: await levels(ours), pg: await levels(theirs) };
  await Promise.all(held.map((connection) => connection.release()));
  for (const client of theirHeld) client.release();
  await Promise.all([small.end(), large.end()]);
  return answer;
}

/** Of each pool, by its name: what it says of itself. */
async function levels(backEnd: MetricsBackEnd): Promise<Record<string, Record<string, unknown>>> {
  const metrics = await backEnd.collect();
  const pools: Record<string, Record<string, unknown>> = {};
  for (const metric of ['count', 'limit', 'max']) {
    const { dataPoints = [] } = metrics.get(`db.client.connection.${metric}`) ?? {};
    for (const { attributes, value } of dataPoints) {
      const name = String(attributes['db.client.connection.pool.name']);
      const state = attributes['db.client.connection.state'];
      (pools[name] ??= {})[typeof state === 'string' ? state : 'limit'] = value;
    }
  }
  return pools;
}
