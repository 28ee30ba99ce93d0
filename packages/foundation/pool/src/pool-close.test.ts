import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { soon, stage } from '../test/pool-stage.ts';
import { giveTurn, takeTurn } from './turns.ts';

test('close reports nothing when everything came back', async () => {
  const { pool, open } = stage();
  const lease = await pool.acquire(soon());
  setTimeout(() => void pool.release(lease), 30);
  expect(await pool.close(1_000)).toMatchObject({ heldOn: [], destroyed: 0 });
  expect(open.size).toBe(0);
  expect(pool.state).toBe('closed');
});

test('what runs is stopped and what is open rolled back; a COMMIT that waits is never sent', async () => {
  const sent: string[] = [];
  let stop: (() => void) | undefined;
  const { pool, open } = stage(
    {},
    {
      more: {
        cancel: () => {
          sent.push('cancel');
          stop?.();
          return Promise.resolve();
        },
        status: () => 'transaction',
        rollback: () => {
          sent.push('ROLLBACK');
          return Promise.resolve();
        },
      },
    },
  );
  const lease = await pool.acquire(soon());
  lease.lastStatement = 'UPDATE everything';
  const { session } = lease;
  void takeTurn(session);
  const running = new Promise<void>((resolve) => (stop = resolve)).then(() => giveTurn(session));
  // A holder as the layer has them: whoever gets the turn on a lost session sends nothing.
  const behind = Promise.resolve(takeTurn(session)).then(() => {
    if (!session.lost) sent.push('COMMIT');
    giveTurn(session);
  });
  const report = await pool.close(300);
  await Promise.all([running, behind]);
  expect(sent).toEqual(['cancel', 'ROLLBACK']);
  expect(report).toMatchObject({ heldOn: [{ lastStatement: 'UPDATE everything' }], destroyed: 1 });
  expect(open.size).toBe(0);
});

test('whoever waits for a turn when the pool is closed does not wait for ever', async () => {
  const { pool } = stage({}, { more: { status: () => 'idle' } });
  const { session } = await pool.acquire(soon());
  await pool.close(0);
  expect(session.lost).toBeInstanceOf(Error);
  expect(takeTurn(session)).toBeUndefined();
});

test('a COMMIT on its way is not stopped', async () => {
  const sent: string[] = [];
  const { pool } = stage(
    {},
    {
      more: {
        cancel: () => {
          sent.push('cancel');
          return Promise.resolve();
        },
      },
    },
  );
  const lease = await pool.acquire(soon());
  lease.lastStatement = 'COMMIT';
  void takeTurn(lease.session);
  setTimeout(() => giveTurn(lease.session), 20);
  await pool.close(0);
  expect(sent).toEqual([]);
});

test.each([0, 50, 400, 2_000])('frozen in every way, close(%i) ends in time', async (timeoutMs) => {
  const never = () => new Promise<never>(() => undefined);
  const { pool, log, open } = stage(
    { validate: { afterIdleMs: 5 } },
    { more: { cancel: never, rollback: never, status: () => 'idle' } },
  );
  const [busy, idle, checked, waiting] = await Promise.all([
    pool.acquire(soon()),
    pool.acquire(soon()),
    pool.acquire(soon()),
    pool.acquire(soon()),
  ]);
  void takeTurn(busy.session);
  void pool.release(idle);
  void pool.release(checked);
  await sleep(10);
  Object.assign(log, { ping: 'freezes', goodbye: 'freezes' });
  const refused = pool.acquire(soon()).catch((error: { code: string }) => error.code);
  const began = performance.now();
  const [report, again] = await Promise.all([pool.close(timeoutMs), pool.close(60_000)]);
  expect(performance.now() - began).toBeLessThan(Math.max(timeoutMs, 250) + 100);
  expect(report).toBe(again);
  expect(report.heldOn).toHaveLength(2);
  expect(await refused).toBe('DAL_CLOSED');
  expect(open.size).toBe(0);
  expect(waiting.ended).toBe(true);
});

test('a second call with less patience shortens the first', async () => {
  const { pool, open } = stage();
  await pool.acquire(soon());
  const began = performance.now();
  const patient = pool.close(60_000);
  expect(pool.state).toBe('closing');
  await sleep(20);
  await Promise.all([patient, pool.close(0)]);
  expect(performance.now() - began).toBeLessThan(1_000);
  expect(open.size).toBe(0);
});

test('a connect in flight is given up, and is no failed one', async () => {
  const before = timers();
  const { pool, open } = stage({ min: 2, max: 3 }, { openMs: 10_000, obeys: true });
  const asked = pool.acquire(soon()).catch((error: { code: string }) => error.code);
  const warmed = pool.warm(soon()).catch((error: { code: string }) => error.code);
  expect(pool.stats().connecting).toBe(2);
  const began = performance.now();
  expect(await pool.close(5_000)).toMatchObject({ destroyed: 0 });
  expect(performance.now() - began).toBeLessThan(100);
  expect(await asked).toBe('DAL_CLOSED');
  expect(await warmed).toBe('DAL_CLOSED');
  expect(pool.stats()).toMatchObject({ connecting: 0, connectErrors: 0, created: 0 });
  expect(open.size).toBe(0);
  await expect.poll(timers).toBe(before);
});

test('one is given up at once, also while others still hold what they have', async () => {
  const { pool, log } = stage({ max: 2 }, { openMs: 30, obeys: true });
  const lease = await pool.acquire(soon());
  const asked = pool.acquire(soon()).catch((error: { code: string }) => error.code);
  const closing = pool.close(5_000);
  expect(await asked).toBe('DAL_CLOSED');
  await expect.poll(() => pool.stats().connecting).toBe(0);
  expect(pool.state).toBe('closing');
  void pool.release(lease);
  await closing;
  expect(log.opened).toBe(1);
});

test('a driver that takes no signal is waited for in time, and what comes later is destroyed', async () => {
  const { pool, log, open } = stage({}, { openMs: 500 });
  void pool.acquire(soon()).catch(() => undefined);
  const began = performance.now();
  await pool.close(300);
  expect(performance.now() - began).toBeLessThan(450);
  expect(pool.stats().connecting).toBe(1);
  await expect.poll(() => log.opened).toBe(1);
  await expect.poll(() => open.size).toBe(0);
  expect(pool.stats()).toMatchObject({ connecting: 0, size: 0 });
});

test('no timer is left behind', async () => {
  const before = timers();
  const { pool } = stage({ min: 2 });
  await pool.warm(soon());
  void pool.release(await pool.acquire(soon()));
  await pool.close(1_000);
  await expect.poll(timers).toBe(before);
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
