import { QueryError } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { enableTelemetry } from '@dal/otel';
import { context, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { inSpan, MetricsBackEnd, only, secondsOf, SpansBackEnd, totalOf } from './otel-stage.ts';

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterAll(() => {
  context.disable();
});

describe.each(inject('engines'))('$name', ({ url, name: engine }) => {
  const system = engine === 'postgres' ? 'postgresql' : engine;
  const place = new URL(url.replace(/^sqlite:/, 'sqlite://host'));
  const isServer = engine !== 'sqlite';

  test('a call is one span with what the conventions ask for', async () => {
    await using backEnd = new SpansBackEnd();
    using _ = enableTelemetry({ tracerProvider: backEnd.provider, metrics: false });
    await using db = await createDatabase(url, { name: `spans ${engine}` });
    await inSpan(backEnd, 'request', () =>
      db.query("SELECT ? AS a, 'secret' AS b FROM (SELECT 1 AS one) t", ['s3cret']),
    );
    const span = only(backEnd.spans, 'SELECT SELECT');
    expect(span.kind).toBe(SpanKind.CLIENT);
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.attributes).toEqual({
      'db.system.name': system,
      'db.namespace': place.pathname.split('/').at(-1),
      'db.query.summary': 'SELECT SELECT',
      'db.query.text': 'SELECT ? AS a, ? AS b FROM (SELECT ? AS one) t',
      ...(isServer ? { 'server.address': place.hostname, 'server.port': Number(place.port) } : {}),
    });
    expect(backEnd.paths().filter((path) => path.endsWith('SELECT SELECT'))).toEqual([
      'request > SELECT SELECT',
    ]);
    expect(
      JSON.stringify(backEnd.spans.map(({ attributes, name }) => [name, attributes])),
    ).not.toContain('cret');
  });

  test('an error has its type, and no words of it', async () => {
    await using backEnd = new SpansBackEnd();
    using _ = enableTelemetry({ tracerProvider: backEnd.provider, metrics: false });
    await using db = await createDatabase(url, { name: `spans ${engine}`, pool: { max: 1 } });
    await db.query("SELECT 'secret' FROM no_such_table").catch(() => undefined);
    const span = only(backEnd.spans, 'SELECT no_such_table');
    const code = { postgres: '42P01', sqlite: 'SQLITE_ERROR', mysql: '1146', mariadb: '1146' }[
      engine
    ];
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'schema' });
    expect(span.attributes).toMatchObject({
      'error.type': code,
      'db.response.status_code': code,
    });
    expect(backEnd.paths()).toContain('SELECT no_such_table > attempt');

    backEnd.reset();
    await using _held = await db.acquire();
    await db.query('SELECT 1 AS late', [], { timeoutMs: 30 }).catch(() => undefined);
    const late = only(backEnd.spans, 'SELECT');
    expect(late.attributes['error.type']).toBe('pool_timeout');
    expect(late.attributes).not.toHaveProperty('db.response.status_code');
    expect(backEnd.paths()).toContain('SELECT > acquire');
  });

  test('metrics and spans are of the same length', async () => {
    await using spans = new SpansBackEnd();
    await using metrics = new MetricsBackEnd();
    using _ = enableTelemetry({ tracerProvider: spans.provider, meterProvider: metrics.provider });
    await using db = await createDatabase(url, { name: `spans ${engine}` });
    await Promise.all(
      Array.from({ length: 20 }, (_none, index) =>
        db.query(`SELECT ${index} AS n FROM (SELECT 1 AS one) t`),
      ),
    );
    const calls = spans.spans.filter(({ name }) => name === 'SELECT SELECT');
    const { count, sum } = totalOf((await metrics.collect()).get('db.client.operation.duration'));
    expect(count).toBe(20);
    const seconds = calls.reduce((total, span) => total + secondsOf(span), 0);
    expect(Math.abs(seconds - sum)).toBeLessThan(20 * 2e-6);
  });

  test('two hundred requests at once: every span in its own trace, in its own place', async () => {
    await using backEnd = new SpansBackEnd();
    using _ = enableTelemetry({ tracerProvider: backEnd.provider, metrics: false, spans: 'all' });
    await using db = await createDatabase(url, { name: `crowd ${engine}`, pool: { max: 4 } });
    await Promise.all(
      Array.from({ length: 200 }, (_none, index) =>
        inSpan(backEnd, `request ${index}`, async () => {
          await db.query(`SELECT 1 AS alone_${index} FROM (SELECT 1 AS one) single_${index}`);
          await db.transaction(async (tx) => {
            await tx.query(
              `WITH first_${index} AS (SELECT 1 AS one) SELECT one FROM first_${index}`,
            );
            await inSpan(backEnd, `step ${index}`, () =>
              tx.query(`WITH second_${index} AS (SELECT 1 AS one) SELECT one FROM second_${index}`),
            );
          });
          // Fails, is not repeated.
          await db.query(`SELECT 1 FROM missing_${index}`).catch(() => undefined);
        }),
      ),
    );
    const { spans } = backEnd;
    const paths = backEnd.paths();
    const traces = new Map(
      spans
        .filter(({ name }) => name.startsWith('request'))
        .map((span) => [span.spanContext().traceId, span.name.split(' ')[1]]),
    );
    expect(traces.size).toBe(200);
    const ofRequest = new Map<string, string[]>();
    for (const [at, span] of spans.entries()) {
      const index = traces.get(span.spanContext().traceId);
      expect(index, paths[at]).toBeDefined();
      const path = (paths[at] as string).replaceAll(/_\d+/g, '_n').replaceAll(/ \d+/g, ' n');
      // Whatever has a number in its name has that of its request.
      for (const [, own] of span.name.matchAll(/[_ ](\d+)/g)) expect(own).toBe(index);
      const found = ofRequest.get(index as string) ?? [];
      ofRequest.set(index as string, [...found, path]);
    }
    const begins = engine === 'mysql' || engine === 'mariadb' ? 'START' : 'BEGIN';
    const expected = [
      'request n',
      'request n > SELECT SELECT',
      'request n > SELECT SELECT > acquire',
      'request n > SELECT SELECT > attempt',
      'request n > TRANSACTION',
      'request n > TRANSACTION > acquire',
      `request n > TRANSACTION > ${begins}`,
      'request n > TRANSACTION > SELECT SELECT first_n',
      'request n > TRANSACTION > SELECT SELECT first_n > attempt',
      'request n > step n',
      'request n > step n > SELECT SELECT second_n',
      'request n > step n > SELECT SELECT second_n > attempt',
      'request n > TRANSACTION > COMMIT',
      'request n > SELECT missing_n',
      'request n > SELECT missing_n > acquire',
      'request n > SELECT missing_n > attempt',
    ].toSorted();
    for (const found of ofRequest.values()) {
      expect(found.toSorted()).toEqual(expected);
    }
    // A child never begins before its parent, nor ends after it.
    const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
    for (const span of spans) {
      const parent = byId.get(span.parentSpanContext?.spanId ?? '');
      if (!parent || parent.name.startsWith('request') || parent.name.startsWith('step')) continue;
      const since = millis(span.startTime) - millis(parent.startTime);
      const left = millis(parent.endTime) - millis(span.endTime);
      expect(Math.min(since, left), `${span.name} in ${parent.name}`).toBeGreaterThan(-0.01);
    }
  });

  test('what is tried again shows all attempts', async () => {
    await using backEnd = new SpansBackEnd();
    using _ = enableTelemetry({ tracerProvider: backEnd.provider, metrics: false });
    await using db = await createDatabase(url, { name: `again ${engine}`, pool: { max: 2 } });
    let tries = 0;
    await inSpan(backEnd, 'request', () =>
      db.transaction(
        async (tx) => {
          await tx.query('SELECT 1 AS one');
          if (++tries < 3) throw contention();
        },
        { retries: 5 },
      ),
    );
    const span = only(backEnd.spans, 'TRANSACTION');
    expect(span.kind).toBe(SpanKind.INTERNAL);
    expect(span.attributes['dal.attempts']).toBe(3);
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    const paths = backEnd.paths();
    expect(paths.filter((path) => path === 'request > TRANSACTION > SELECT')).toHaveLength(3);
    expect(paths.filter((path) => path === 'request > TRANSACTION > ROLLBACK')).toHaveLength(2);
    expect(paths.filter((path) => path === 'request > TRANSACTION > COMMIT')).toHaveLength(1);
  });

  test.runIf(isServer)('a call that lost its connection shows what it went through', async () => {
    await using backEnd = new SpansBackEnd();
    await using db = await createDatabase(url, { name: `lost ${engine}`, pool: { max: 1 } });
    await using killer = await createDatabase(url, { name: `killer ${engine}` });
    const isPostgres = engine === 'postgres';
    const id = await db.queryValue<number>(
      isPostgres ? 'SELECT pg_backend_pid()' : 'SELECT CONNECTION_ID()',
    );
    // Slow only on the session that is going to be killed.
    const slow = isPostgres
      ? `SELECT pg_sleep(CASE WHEN pg_backend_pid() = ${id} THEN 20 ELSE 0 END)`
      : `SELECT SLEEP(IF(CONNECTION_ID() = ${id}, 20, 0))`;
    const isRunning = isPostgres
      ? `SELECT count(*) FROM pg_stat_activity WHERE pid = ${id} AND wait_event = 'PgSleep'`
      : `SELECT COUNT(*) FROM information_schema.processlist WHERE id = ${id} AND state = 'User sleep'`;
    using _ = enableTelemetry({ tracerProvider: backEnd.provider, metrics: false, spans: 'all' });
    await inSpan(backEnd, 'request', async () => {
      const answer = db.query(slow, [], { idempotent: true });
      await expect
        .poll(() => killer.queryValue(isRunning).then(Number), { timeout: 10_000 })
        .toBe(1);
      await killer.execute(
        isPostgres ? `SELECT pg_terminate_backend(${id})` : `KILL CONNECTION ${id}`,
      );
      await answer;
    });
    const call = backEnd.spans.find(({ attributes }) => attributes['dal.attempts'] === 2);
    expect(call?.status.code).toBe(SpanStatusCode.UNSET);
    const inside = backEnd.spans.filter(
      ({ parentSpanContext }) => parentSpanContext?.spanId === call?.spanContext().spanId,
    );
    const steps = inside.map(({ name, status, attributes }) => [
      name,
      status.code === SpanStatusCode.ERROR,
      attributes['dal.attempt'],
    ]);
    expect(steps).toEqual([
      ['acquire', false, undefined],
      ['attempt', true, 1],
      ['acquire', false, undefined],
      ['attempt', false, 2],
    ]);
    expect(inside[1]?.attributes['error.type']).toEqual(expect.any(String));
  });

  test('a batch, a bulk load and a stream are one call each', async () => {
    await using backEnd = new SpansBackEnd();
    await using db = await createDatabase(url, { name: `many ${engine}` });
    await db.execute('DROP TABLE IF EXISTS otel_many');
    await db.execute('CREATE TABLE otel_many (id int PRIMARY KEY)');
    using _ = enableTelemetry({ tracerProvider: backEnd.provider, metrics: false });
    await inSpan(backEnd, 'request', async () => {
      await db.executeMany('INSERT INTO otel_many VALUES (?)', [[1], [2], [3]]);
      await db.bulkInsert('otel_many', [{ id: 4 }, { id: 5 }]);
      await using connection = await db.acquire();
      await connection.bulkInsert('otel_many', [{ id: 6 }]);
      for await (const row of db.stream('SELECT id FROM otel_many').rows()) void row;
    });
    const [quote] = db.dialect.quote;
    const paths = backEnd.paths().map((path) => path.replaceAll(/["`]/g, ''));
    expect(quote).toBeDefined();
    for (const [path, count] of [
      ['request > BATCH INSERT otel_many', 1],
      ['request > BATCH INSERT otel_many > TRANSACTION > COMMIT', 1],
      ['request > INSERT otel_many', 2],
      ['request > INSERT otel_many > TRANSACTION > COMMIT', 2],
      ['request > SELECT otel_many', 1],
    ] as const) {
      expect(
        paths.filter((one) => one === path),
        path,
      ).toHaveLength(count);
    }
    const batch = backEnd.spans.find(({ name }) => name.startsWith('BATCH')) as ReadableSpan;
    expect(batch.attributes).toMatchObject({ 'db.operation.batch.size': 3 });
    await db.execute('DROP TABLE otel_many');
  });
});

function millis([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1_000 + nanoseconds / 1e6;
}

/** As the layer would report a deadlock. */
function contention(): Error {
  return new QueryError('in each other’s way', {
    kind: 'serialization',
    fault: { kind: 'serialization', applied: 'no', transaction: 'gone' },
  });
}
