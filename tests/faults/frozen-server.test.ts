import { createDatabase } from '@dal/factory';
import { startServer } from '@dal/testing/servers';
import { expect, test } from 'vitest';

/** A frozen server accepts connections and never answers; only the caller's own clock helps. */
test.each(['postgres', 'mysql', 'mariadb'] as const)(
  'a frozen %s holds nobody past the deadline, and serves again when it is back',
  async (kind) => {
    await using server = await startServer(kind, { own: true });
    const db = await createDatabase(server.url, { pool: { max: 2 }, retry: { maxRetries: 0 } });
    expect(await db.isHealthy({ timeoutMs: 5_000 })).toBe(true);

    await server.freeze();
    const started = performance.now();
    expect(await db.isHealthy({ timeoutMs: 400 })).toBe(false);
    await expect(db.query('SELECT 1', [], { timeoutMs: 400 })).rejects.toMatchObject({
      code: expect.stringMatching(/TIMEOUT/),
    });
    // Two deadlines, and what a loaded machine adds.
    expect(performance.now() - started).toBeLessThan(2_000);

    await server.thaw();
    await expect.poll(() => db.isHealthy({ timeoutMs: 2_000 }), { timeout: 10_000 }).toBe(true);
    expect(await db.queryValue('SELECT 7')).toBe(7);

    await server.freeze();
    const closing = performance.now();
    const report = await db.close({ timeoutMs: 500 });
    expect(performance.now() - closing).toBeLessThan(1_500);
    expect(report.destroyed).toBeGreaterThan(0);
    await server.thaw();
  },
);

test.each(['postgres', 'mysql', 'mariadb'] as const)(
  'a killed %s ends no process, and the pool serves again after its return',
  async (kind) => {
    await using server = await startServer(kind, { own: true });
    await using db = await createDatabase(server.url, { pool: { max: 4 } });
    await Promise.all(Array.from({ length: 8 }, () => db.query('SELECT 1')));
    await server.kill();
    await expect(db.query('SELECT 1', [], { timeoutMs: 2_000 })).rejects.toMatchObject({
      name: 'ConnectionError',
    });
    await server.start();
    expect(await db.queryValue('SELECT 7')).toBe(7);
  },
);
