import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { type FaultProxy, startFaultProxy } from '@dal/testing/faults';
import { describe, expect, inject, test } from 'vitest';

const run = promisify(execFile);
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
// SQLite lets only one of the two transactions write.
const servers = inject('engines').filter(({ name }) => name !== 'sqlite');

describe.each(servers)('$name', ({ url, name }) => {
  test('nothing is kept of a connection that was lost while it was lent', async () => {
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    await using db = await createDatabase(proxy.through(url), { pool: { max: 2 } });
    const handles: WeakRef<object>[] = [];
    for (let turn = 0; turn < 5; turn++) handles.push(await loseOne(db, proxy, name));
    await db.query('SELECT 1');
    await expect
      .poll(
        () => {
          collectGarbage();
          return handles.filter((handle) => handle.deref()).length;
        },
        { timeout: 10_000, interval: 100 },
      )
      // The last one may still be on the stack of somebody.
      .toBeLessThanOrEqual(1);
  });

  test('a dropped connection comes back rolled back, with a warning that names the place', async () => {
    const program = join(import.meta.dirname, 'forgetful-program.ts');
    const { stdout } = await run(process.execPath, [
      '--expose-gc',
      '--conditions=@dal/source',
      program,
      url,
    ]);
    const seen = JSON.parse(stdout) as { warnings: string[] };
    expect(seen).toMatchObject({ lentBefore: 2, lent: 1, rows: 0 });
    expect(seen.warnings).toHaveLength(2);
    for (const warning of seen.warnings) {
      expect(warning).toMatch(/"shop" was never given back.*SELECT id FROM forgotten/s);
      expect(warning).toMatch(/forget .*forgetful-program\.ts:\d+/);
    }
  });
});

describe.each(inject('engines'))('$name', ({ url }) => {
  test('the hooks hear of a leak once, and of its end', async () => {
    await using db = await createDatabase(url, {
      name: 'shop',
      pool: { max: 2, leakThresholdMs: 50 },
    });
    const heard: unknown[] = [];
    db.hooks.on('leak', (event) => heard.push(['leak', event]));
    db.hooks.on('unleaked', (event) => heard.push(['unleaked', event]));
    const connection = await db.acquire();
    await connection.query('SELECT 1', [], { tags: { route: 'cart' } });
    await expect.poll(() => heard.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(db.pool.leaks()).toHaveLength(1);
    await connection.release();
    const event = {
      database: 'shop',
      lastStatement: 'SELECT 1',
      tags: { route: 'cart' },
      stack: expect.stringMatching(/leaks\.test\.ts:\d+/),
    };
    expect(heard).toMatchObject([
      ['leak', event],
      ['unleaked', event],
    ]);
    expect(db.pool.leaks()).toEqual([]);
  });

  test('connect opens what min asks for, and status tells of it', async () => {
    const db = await createDatabase(url, { name: 'shop', pool: { min: 2, max: 3 } });
    expect(db.status()).toMatchObject({ name: 'shop', state: 'idle', pool: { size: 0 } });
    await db.connect();
    expect(db.status()).toMatchObject({
      configHash: db.configHash,
      state: 'open',
      pool: { idle: 2, created: 2 },
    });
    expect(db.pool.settings).toMatchObject({ min: 2, max: 3, acquireTimeoutMs: 10_000 });
    const report = await db.close();
    expect(report).toMatchObject({ heldOn: [], destroyed: 0 });
    expect(db.status()).toMatchObject({ state: 'closed', pool: { size: 0, destroyed: 2 } });
  });
});

/** A statement runs on it while its line breaks. */
async function loseOne(db: Database, proxy: FaultProxy, name: string): Promise<WeakRef<object>> {
  const connection = await db.acquire();
  await connection.query('SELECT 1');
  const running = connection.query(name === 'postgres' ? 'SELECT pg_sleep(5)' : 'SELECT SLEEP(5)');
  proxy.resetAll();
  const outcome = await running.then(
    () => 'done',
    () => 'lost',
  );
  expect(outcome).toBe('lost');
  await connection.release().catch(() => undefined);
  return new WeakRef(connection);
}
