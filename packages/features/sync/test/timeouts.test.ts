import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DalError, type Database, QueryError } from '@dal/core';
import { enableSync } from '@dal/sync';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openEngine, SLEEP } from './open-databases.ts';

enableSync();

describe.each(inject('engines'))('$name', (engine) => {
  const mark = `sync_timeouts_${process.pid}`;
  const sleep = `/* ${mark} */ ${SLEEP[engine.name]}`;
  let folder = '';
  let db: Database;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dal-sync-'));
    db = openEngine(engine, join(folder, 'timeouts.db'));
    db.sync.connect();
  });

  afterAll(async () => {
    await db.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('a statement ends at its timeout, on the server too', async () => {
    const began = performance.now();
    const error = thrownBy(() => db.sync.query(sleep, [], { timeoutMs: 300 }));
    const took = performance.now() - began;
    expect(error).toBeInstanceOf(QueryError);
    expect(error).toMatchObject({ kind: 'statementTimeout', code: 'DAL_STATEMENT_TIMEOUT' });
    expect(error.message).toMatch(/after (?:300|2\d\d) ms/);
    expect(took).toBeGreaterThan(250);
    expect(took).toBeLessThan(2_000);
    await expect.poll(() => running(db), { timeout: 1_500 }).toBe(0);
    expect(db.sync.queryValue('SELECT 1')).toBe(1);
  });

  test('so does a transaction at its own, and nothing of it stays', async () => {
    await db.execute(`DROP TABLE IF EXISTS ${mark}`);
    await db.execute(`CREATE TABLE ${mark} (a INTEGER)`);
    const began = performance.now();
    const error = thrownBy(() =>
      db.sync.transaction(
        (tx) => {
          tx.execute(`INSERT INTO ${mark} VALUES (1)`);
          tx.query(sleep);
        },
        { timeoutMs: 400 },
      ),
    );
    expect(error.kind).toBe('statementTimeout');
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(Number(await db.queryValue(`SELECT count(*) FROM ${mark}`))).toBe(0);
    await db.execute(`DROP TABLE ${mark}`);
  });

  test('nothing else runs in the thread meanwhile', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(ticks).toBeGreaterThan(0);
    ticks = 0;
    expect(thrownBy(() => db.sync.query(sleep, [], { timeoutMs: 200 }))).toMatchObject({
      kind: expect.stringMatching(/statementTimeout|connection/),
    });
    expect(ticks).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(ticks).toBeGreaterThan(0);
    clearInterval(timer);
  });

  /** How many of our statements the server works on; SQLite has no server to ask. */
  async function running(on: Database): Promise<number> {
    if (engine.name === 'sqlite') return 0;
    const text =
      engine.name === 'postgres'
        ? "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE ? AND pid <> pg_backend_pid()"
        : 'SELECT count(*) FROM information_schema.processlist WHERE info LIKE ? AND id <> connection_id()';
    return Number(await on.queryValue(text, [`%${mark}%SLEEP(60)%`.replace('SLEEP', sleepWord())]));
  }

  function sleepWord(): string {
    return engine.name === 'postgres' ? 'pg_sleep' : 'SLEEP';
  }
});

function thrownBy(call: () => unknown): DalError {
  try {
    call();
  } catch (error) {
    return error as DalError;
  }
  throw new Error('Nothing was thrown.');
}
