import { createDatabase } from '@dal/factory';
import { digests, enableScaling, queryLog } from '@dal/scaling';
import { describe, expect, inject, test } from 'vitest';

const engines = inject('engines');

describe.each(engines)('$name', ({ url, name: engine }) => {
  const table = `digested_${engine}`;

  test('statements that differ in their values are one; counts, rows and errors are right', async () => {
    using scaling = enableScaling();
    const name = `digests ${engine}`;
    await using db = await createDatabase(url, { name });
    await db.execute(`DROP TABLE IF EXISTS ${table}`);
    await db.execute(`CREATE TABLE ${table} (id INT PRIMARY KEY, name VARCHAR(20))`);
    await db.executeMany(`INSERT INTO ${table} VALUES (?, ?)`, [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
    for (let id = 0; id < 10; id++) {
      await db.query(`SELECT id FROM ${table} WHERE id IN (${id}, ?) -- call ${id}`, [3]);
      await db
        .query(`SELECT id\n  FROM ${table} WHERE id IN (?, 'x${id}') AND 1 = 0`, [id])
        .catch(() => undefined);
    }
    await db.query(`INSERT INTO ${table} VALUES (1, 'secret')`).catch(() => undefined);
    let read = 0;
    for await (const row of db.stream(`SELECT name FROM ${table} WHERE id < 99`).rows()) {
      if (row) read++;
    }
    expect(read).toBe(3);
    await db.transaction(async (tx) => {
      await tx.query(`UPDATE ${table} SET name = 'z' WHERE id > 1`);
    });

    const all = scaling.digests({ database: name, top: Infinity });
    const of = (text: string) => all.find((digest) => digest.text === text);
    // 3 is there each time, and 1 and 2 are once.
    expect(of(`SELECT id FROM ${table} WHERE id IN (?+)`)).toMatchObject({
      database: name,
      count: 10,
      errors: 0,
      rows: 12,
    });
    expect(of(`SELECT id FROM ${table} WHERE id IN (?+) AND ? = ?`)?.count).toBe(10);
    expect(of(`SELECT name FROM ${table} WHERE id < ?`)).toMatchObject({ count: 1, rows: 3 });
    expect(of(`UPDATE ${table} SET name = ? WHERE id > ?`)).toMatchObject({ count: 1, rows: 2 });
    expect(of('COMMIT')).toBeDefined();
    // Three rows, however they were sent, and the one that was refused.
    const insert = of(`INSERT INTO ${table} VALUES (?+)`);
    expect(insert).toMatchObject({ rows: 3, errors: 1 });
    expect(JSON.stringify(all)).not.toMatch(/secret|x7/);
    for (const { p50Ms, p95Ms, p99Ms, maxMs, totalMs, meanMs, count } of all) {
      expect([p50Ms, p95Ms, p99Ms, maxMs].toSorted((a, b) => a - b)).toEqual([
        p50Ms,
        p95Ms,
        p99Ms,
        maxMs,
      ]);
      expect(maxMs).toBeLessThanOrEqual(totalMs + 1e-9);
      expect(meanMs * count).toBeCloseTo(totalMs, 6);
    }
    expect(all.map(({ totalMs }) => totalMs)).toEqual(
      all.map(({ totalMs }) => totalMs).toSorted((a, b) => b - a),
    );
    expect(digests({ top: 2, database: name })).toEqual(all.slice(0, 2));
    expect(digests({ database: 'another' })).toEqual([]);
    await db.execute(`DROP TABLE ${table}`);
  });

  test('times are those of the connection, without the wait for one', async () => {
    using scaling = enableScaling();
    const name = `waits ${engine}`;
    await using db = await createDatabase(url, { name, shared: false, pool: { max: 1 } });
    const held = await db.acquire();
    const waiting = db.query('SELECT 4 AS four');
    await new Promise((resolve) => setTimeout(resolve, 150));
    await held.release();
    await waiting;
    expect(scaling.digests({ database: name })[0]?.maxMs).toBeLessThan(120);
  });

  test('a line for every call, with levels and never a value', async () => {
    const lines: [string, object, string][] = [];
    const note = (level: string) => (fields: object, message: string) =>
      void lines.push([level, fields, message]);
    const logger = {
      debug: note('debug'),
      info: note('info'),
      warn: note('warn'),
      error: note('error'),
    };
    await using db = await createDatabase(url, { name: `logged ${engine}`, slowQueryMs: 0 });
    {
      using _ = queryLog(logger, { level: 'info', database: `logged ${engine}` });
      await db.query("SELECT 'literal' AS a, ? AS b", ['parameter'], { tags: { route: 'home' } });
      await db.query("SELECT * FROM no_such_table WHERE a = 'literal'").catch(() => undefined);
    }
    await db.query('SELECT 1 AS unseen');
    expect(lines.map(([level]) => level)).toEqual(['info', 'warn', 'error', 'warn']);
    const [info, slow, error] = lines;
    expect(info?.[1]).toMatchObject({
      database: `logged ${engine}`,
      statement: 'SELECT ? AS a, ? AS b',
      rowCount: 1,
      tags: { route: 'home' },
      durationMs: expect.any(Number),
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(info?.[2]).toMatch(
      new RegExp(
        String.raw`^\[logged ${engine}\] [\d.]+ ms, 1 row: SELECT \? AS a, \? AS b \[route=home\]$`,
      ),
    );
    expect(slow?.[1]).toMatchObject({
      thresholdMs: 0,
      stack: expect.stringContaining('scaling-digests.test.ts'),
    });
    expect(error?.[1]).toMatchObject({ errorKind: expect.any(String) });
    expect(JSON.stringify(lines)).not.toMatch(/literal|parameter/);
  });
});

const postgres = engines.find(({ name }) => name === 'postgres');

describe.runIf(postgres)('PostgreSQL', () => {
  const url = postgres?.url ?? '';

  test('a query of 1.2 s is one slow query, by its fingerprint', async () => {
    using scaling = enableScaling();
    await using db = await createDatabase(url, { name: 'sleeper' });
    await db.query('SELECT pg_sleep(1.2)', [], { tags: { job: 'nap' } });
    await db.query('SELECT pg_sleep(0.01)');
    const slow = scaling.slowQueries().filter(({ database }) => database === 'sleeper');
    expect(slow).toHaveLength(1);
    expect(slow[0]).toMatchObject({
      text: 'SELECT pg_sleep(?+)',
      id: scaling.digests({ database: 'sleeper', top: 1 })[0]?.id,
      tags: { job: 'nap' },
      thresholdMs: 1_000,
      stack: expect.stringContaining('scaling-digests.test.ts'),
      errorCode: undefined,
    });
    expect(slow[0]?.durationMs).toBeGreaterThanOrEqual(1_199);
    expect(scaling.digests({ database: 'sleeper', top: 1 })[0]).toMatchObject({ count: 2 });
  });

  test('20 connections of 100 ms carry about 200 queries a second', async () => {
    await using db = await createDatabase(url, { name: 'littles law', pool: { max: 20 } });
    const held = await Promise.all(Array.from({ length: 20 }, () => db.acquire()));
    for (const connection of held) await connection.release();
    const began = performance.now();
    await Promise.all(Array.from({ length: 200 }, () => db.query('SELECT pg_sleep(0.1)')));
    const perSecond = 200 / ((performance.now() - began) / 1_000);
    process.stdout.write(
      `20 connections x 100 ms: ${perSecond.toFixed(0)} queries/s, 200 by the formula\n`,
    );
    expect(perSecond).toBeLessThanOrEqual(200);
    // Other work on the machine takes its part.
    expect(perSecond).toBeGreaterThan(100);
  });
});
