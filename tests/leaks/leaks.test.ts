import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createDatabase } from '@dal/factory';
import { describe, expect, inject, test } from 'vitest';

const run = promisify(execFile);
// SQLite lets only one of the two transactions write.
const servers = inject('engines').filter(({ name }) => name !== 'sqlite');

describe.each(servers)('$name', ({ url }) => {
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
