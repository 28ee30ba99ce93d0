import { createDatabase } from '@dal/factory';
import { CircuitBreaker } from '@dal/resilience';
import { startFaultProxy } from '@dal/testing/faults';
import { startServer } from '@dal/testing/servers';
import { expect, test } from 'vitest';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test.each(['postgres', 'mysql', 'mariadb'] as const)(
  'a stopped %s opens the breaker: calls fail at once and nobody knocks, until it is back',
  async (kind) => {
    await using server = await startServer(kind, { own: true });
    await using proxy = await startFaultProxy({ port: server.port });
    await using db = await createDatabase(proxy.through(server.url), {
      pool: { max: 2, failFast: true },
      retry: { maxRetries: 0 },
    });
    const breaker = new CircuitBreaker(kind, { failureThreshold: 3, recoveryTimeoutMs: 800 });
    const changes: string[] = [];
    breaker.onStateChange(({ from, to }) => changes.push(`${from} > ${to}`));
    const ask = async (): Promise<unknown> =>
      breaker.run(() => db.queryValue('SELECT 7', [], { timeoutMs: 2_000 }));

    // Refused rows are no outage.
    await db.execute('CREATE TABLE once (id INTEGER PRIMARY KEY)');
    await db.execute('INSERT INTO once VALUES (1)');
    for (let call = 0; call < 10; call++) {
      await expect(
        breaker.run(() => db.execute('INSERT INTO once VALUES (1)')),
      ).rejects.toMatchObject({ kind: 'unique' });
    }
    expect(await ask()).toBe(7);
    expect(breaker.state).toBe('closed');

    await server.stop();
    for (let call = 0; call < 3; call++) {
      await expect(ask()).rejects.toMatchObject({ name: 'ConnectionError' });
    }
    expect(breaker.state).toBe('open');
    // Whatever the pool still tried by itself is over.
    await expect.poll(() => db.pool.stats().connecting).toBe(0);
    const knocks = proxy.counts.accepted;
    const started = performance.now();
    for (let call = 0; call < 200; call++) {
      await expect(ask()).rejects.toMatchObject({
        code: 'DAL_CIRCUIT_OPEN',
        cause: { name: 'ConnectionError' },
      });
    }
    // Below 5 ms each, with what vitest adds.
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(proxy.counts.accepted).toBe(knocks);

    // Still down when it may try again: one knock, and it is open for another while.
    await expect.poll(() => breaker.state, { timeout: 5_000 }).toBe('halfOpen');
    await expect(ask()).rejects.toMatchObject({ name: 'ConnectionError' });
    expect(breaker.state).toBe('open');

    await server.start();
    await sleep(breaker.retryAfterMs + 1);
    for (let call = 0; call < 3; call++) expect(await ask()).toBe(7);
    expect(breaker.state).toBe('closed');
    expect(changes).toEqual([
      'closed > open',
      'open > halfOpen',
      'halfOpen > open',
      'open > halfOpen',
      'halfOpen > closed',
    ]);
  },
);
