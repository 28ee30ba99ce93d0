import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, json, sql } from '@dal/core';
import { enableSync } from '@dal/sync';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openEngine } from './open-databases.ts';

enableSync();

describe.each(inject('engines'))('$name', (engine) => {
  const table = `sync_answers_${process.pid}`;
  let folder = '';
  let db: Database;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dal-sync-'));
    db = openEngine(engine, join(folder, 'answers.db'), { pool: { max: 3 } });
    const { types } = db.dialect;
    await db.execute(`DROP TABLE IF EXISTS ${table}`);
    await db.execute(
      `CREATE TABLE ${table} (id ${types.integer} PRIMARY KEY, big ${types.bigint}, amount ${types.decimal},
       name ${types.key}, data ${types.bytes}, moment ${types.timestamp}, extra ${types.json}, ok ${types.boolean})`,
    );
  });

  afterAll(async () => {
    await db.execute(`DROP TABLE IF EXISTS ${table}`);
    await db.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('every kind of value arrives as in the awaited call', async () => {
    const insert = `INSERT INTO ${table} (id, big, amount, name, data, moment, extra, ok) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
    const bytes = Buffer.from('a piece of a pool').subarray(2, 9);
    const moment = new Date('2024-02-29T12:34:56.789Z');
    const written = db.sync.execute(insert, [
      1,
      9_007_199_254_740_993n,
      '123456789012345678.123456',
      "it's ü",
      bytes,
      moment,
      json({ a: [1, null, 'x'] }),
      true,
    ]);
    expect(written.affectedRows).toBe(1);
    db.sync.execute(insert, [2, null, null, null, null, null, null, null]);
    const read = `SELECT * FROM ${table} ORDER BY id`;
    const awaited = await db.query(read);
    const blocked = db.sync.query(read);
    expect(blocked).toStrictEqual(awaited);
    expect(blocked[0]).toMatchObject({ big: 9_007_199_254_740_993n, moment });
    expect(Buffer.isBuffer(blocked[0]!['data'])).toBe(true);
    expect((blocked[0]!['data'] as Buffer).equals(bytes)).toBe(true);
    expect(db.sync.query(read, [], { rowMode: 'array' })).toStrictEqual(
      await db.query(read, [], { rowMode: 'array' }),
    );
    expect(db.sync.queryValue(`SELECT data FROM ${table} WHERE id = ?`, [1])).toStrictEqual(bytes);
    expect(db.sync.execute(read)).toStrictEqual(await db.execute(read));
  });

  test('the verbs answer as their awaited twins', async () => {
    const one = `SELECT id, name FROM ${table} WHERE id = ?`;
    expect(db.sync.queryOne(one, [1])).toStrictEqual(await db.queryOne(one, [1]));
    expect(db.sync.queryOne(one, [99])).toBeUndefined();
    expect(db.sync.queryExactlyOne(one, [2])).toStrictEqual({ id: 2, name: null });
    expect(db.sync.queryValue(one, [99])).toBeUndefined();
    const template = sql`SELECT id FROM ${sql.id(table)} WHERE id IN (${[1, 2, 3]}) ORDER BY id`;
    expect(db.sync.query(template)).toStrictEqual([{ id: 1 }, { id: 2 }]);
    expect(db.sync.query(one, [1], { tags: { page: 'home' }, idempotent: true })).toHaveLength(1);
    expect(db.sync.version()).toStrictEqual(await db.version());
    expect(db.sync.name).toBe(db.name);
    expect(db.sync.isHealthy()).toBe(true);
    db.sync.ping();
    db.sync.connect();
  });

  test('many rows go in and come out', async () => {
    const { affectedRows } = db.sync.executeMany(
      `INSERT INTO ${table} (id, name) VALUES (?, ?)`,
      Array.from({ length: 1_500 }, (_, index) => [1_000 + index, `many ${index}`]),
    );
    expect(affectedRows).toBe(1_500);
    const loaded = db.sync.bulkInsert(
      table,
      (function* () {
        for (let id = 10_000; id < 12_500; id++) {
          yield { id, name: `bulk ${id}`, data: Buffer.from([id & 255]), extra: json({ id }) };
        }
      })(),
    );
    expect(loaded).toStrictEqual({ affectedRows: 2_500 });
    expect(Number(await db.queryValue(`SELECT count(*) FROM ${table} WHERE id >= 1000`))).toBe(
      4_000,
    );
    expect(
      await db.queryOne(`SELECT name, data, extra FROM ${table} WHERE id = 12000`),
    ).toStrictEqual({
      name: 'bulk 12000',
      data: Buffer.from([12_000 & 255]),
      extra: { id: 12_000 },
    });
  });

  test('a stream comes in batches, and can be left early', async () => {
    const text = `SELECT id, data FROM ${table} WHERE id >= 10000 ORDER BY id`;
    const sizes: number[] = [];
    for (const batch of db.sync.stream(text, [], { batchSize: 1_000 })) sizes.push(batch.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(2_500);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
    const first: unknown[] = [];
    for (const row of db.sync.stream(text, [], { batchSize: 10 }).rows()) {
      first.push(row);
      if (first.length === 15) break;
    }
    expect(first).toStrictEqual(await db.query(`${text} LIMIT 15`));
    // More often than there are connections: each was given back.
    for (let round = 0; round < 5; round++) {
      for (const batch of db.sync.stream(text, [], { batchSize: 10 })) {
        expect(batch).toHaveLength(10);
        break;
      }
    }
  });

  test('a row that fails leaves nothing of a load, whoever failed', async () => {
    const before = await db.queryValue(`SELECT count(*) FROM ${table}`);
    const stop = new Error('no more');
    const failing = function* (): Generator<unknown[]> {
      for (let id = 20_000; id < 21_200; id++) yield [id, 'x'];
      throw stop;
    };
    expect(() => db.sync.bulkInsert(table, failing(), { columns: ['id', 'name'] })).toThrow(stop);
    expect(() =>
      db.sync.executeMany(`INSERT INTO ${table} (id, name) VALUES (?, ?)`, [
        [21_000, 'a'],
        [1, 'is there already'],
      ]),
    ).toThrow(expect.objectContaining({ kind: 'unique' }));
    expect(await db.queryValue(`SELECT count(*) FROM ${table}`)).toBe(before);
  });
});
