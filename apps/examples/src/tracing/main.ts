// Spans of OpenTelemetry: what a request asks of the database stands under the request, also when
// requests run at the same time.
import { createDatabase, type Database } from '@dal/factory';
import { enableTelemetry } from '@dal/otel';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { printTrees } from './print-trees.ts';

// The program's own set-up; a real one has an exporter that sends.
const exporter = new InMemorySpanExporter();
const tracerProvider = new TracerProvider({
  spanProcessors: [new SimpleSpanProcessor({ exporter })],
});
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(tracerProvider);

// The one line. Without the option there are spans of waits and attempts as well, where those are news.
enableTelemetry({ spans: 'calls' });

const { DATABASE_URL = 'sqlite::memory:' } = process.env;
await using db = await createDatabase(DATABASE_URL, { name: 'shop' });
const { integer } = db.dialect.types;
await db.execute('DROP TABLE IF EXISTS tracing_orders');
await db.execute(`CREATE TABLE tracing_orders (id ${integer} PRIMARY KEY, paid ${integer})`);
await db.bulkInsert('tracing_orders', [
  { id: 1, paid: 0 },
  { id: 2, paid: 0 },
]);
exporter.reset();

await Promise.all([request('GET /orders/1', readOrder, 1), request('POST /orders/2', payOrder, 2)]);
printTrees(exporter.getFinishedSpans());
await db.execute('DROP TABLE tracing_orders');
await tracerProvider.shutdown();

/** In a service this span comes from the instrumentation of its HTTP library. */
function request(
  name: string,
  handle: (shop: Database, id: number) => Promise<unknown>,
  id: number,
): Promise<void> {
  return trace.getTracer('shop').startActiveSpan(name, async (span) => {
    await handle(db, id);
    span.end();
  });
}

async function readOrder(shop: Database, id: number): Promise<void> {
  await shop.queryOne('SELECT paid FROM tracing_orders WHERE id = ?', [id]);
  await shop.query('SELECT a_typo FROM tracing_orders').catch(() => undefined);
}

function payOrder(shop: Database, id: number): Promise<unknown> {
  return shop.transaction(async (tx) => {
    const paid = await tx.queryValue('SELECT paid FROM tracing_orders WHERE id = ?', [id]);
    if (Number(paid) === 0)
      await tx.execute('UPDATE tracing_orders SET paid = 1 WHERE id = ?', [id]);
  });
}
