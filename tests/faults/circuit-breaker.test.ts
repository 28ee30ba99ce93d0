import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { expect, inject, test } from 'vitest';

const servers = inject('engines').filter(({ name }) => name !== 'sqlite');

test.each(servers)(
  '$name: an open breaker refuses at once and closes by itself',
  async ({ url }) => {
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    await using db = await createDatabase(proxy.through(url), {
      retry: { maxRetries: 0 },
      circuitBreaker: { failureThreshold: 3, recoveryTimeoutMs: 400, halfOpenMaxCalls: 1 },
    });
    await db.query('SELECT 1');
    await proxy.down();
    for (let failure = 0; failure < 3; failure++) {
      await expect(db.query('SELECT 1')).rejects.toMatchObject({ name: 'ConnectionError' });
    }
    const attempts = proxy.counts.accepted;
    for (const call of [
      () => db.query('SELECT 1'),
      () => db.transaction((tx) => tx.query('SELECT 1')),
      () => db.acquire(),
    ]) {
      const started = performance.now();
      await expect(call()).rejects.toMatchObject({
        name: 'CircuitOpenError',
        code: 'DAL_CIRCUIT_OPEN',
      });
      expect(performance.now() - started).toBeLessThan(50);
    }
    expect(proxy.counts.accepted).toBe(attempts);

    await proxy.up();
    await expect
      .poll(() => db.queryValue('SELECT 7').catch((error: { name: string }) => error.name), {
        timeout: 3_000,
        interval: 50,
      })
      .toBe(7);
    // A row that is refused is a sign of life.
    for (let round = 0; round < 5; round++) await db.query('SELEKT').catch(() => undefined);
    expect(await db.queryValue('SELECT 8')).toBe(8);
  },
);
