// The same service on three frameworks. A row that this test holds locked is what makes a request last:
// so long as it is locked the request runs, and not a moment longer.
import { request as httpRequest } from 'node:http';
import { expect, inject, test } from 'vitest';
import { until } from './program.ts';
import { REQUEST_TIMEOUT_MS, ServiceStage } from './service-stage.ts';

const pairs = [
  { framework: 'express', name: 'postgres' },
  { framework: 'fastify', name: 'mysql' },
  { framework: 'hono', name: 'mariadb' },
  { framework: 'express', name: 'sqlite' },
].flatMap((pair) => {
  const found = inject('engines').find(({ name }) => name === pair.name);
  return found === undefined ? [] : [{ ...pair, engine: found }];
});

test.concurrent.each(pairs)('$framework on $name', { timeout: 60_000 }, async (pair) => {
  await using stage = await ServiceStage.open(pair.framework, pair.engine);
  await eachErrorHasItsStatus(stage);
  await tooLongIsTold(stage);
  await whoGoesTakesTheStatementAlong(stage);
  await whatRunsIsAnswered(stage);
  const { code, stderr } = await stage.program.ended();
  expect(code).toBe(0);
  // A warning would say that somebody had to be cut off.
  expect(stderr).not.toContain('Warning');
});

async function eachErrorHasItsStatus(stage: ServiceStage): Promise<void> {
  const order = { id: 1, item: 'hat', amount: 1, paid: 0 };
  expect(await stage.place(1)).toEqual([201, order]);
  expect(await stage.call('GET', '/orders/1')).toEqual([200, order]);
  expect(await stage.place(1)).toEqual([409, { error: 'unique' }]);
  expect(await stage.call('POST', '/orders', '{"id": 5}')).toMatchObject([422, {}]);
  expect(await stage.call('POST', '/orders', '{"id": ')).toMatchObject([400, {}]);
  const large = JSON.stringify({ item: 'x'.repeat(20_000) });
  expect(await stage.call('POST', '/orders', large)).toMatchObject([413, {}]);
  expect(await stage.call('GET', '/orders/99')).toMatchObject([404, {}]);
  expect(await stage.call('POST', '/orders/99/pay')).toMatchObject([404, {}]);
  expect(await stage.call('POST', '/orders/1/pay')).toEqual([200, { ...order, paid: 1 }]);
  expect(await stage.call('GET', '/health')).toEqual([200, { status: 'up' }]);
  expect(Number(await stage.other.queryValue('SELECT COUNT(*) FROM service_orders'))).toBe(1);
}

/** A request that waits for longer than it may is told so, and changes nothing later. */
async function tooLongIsTold(stage: ServiceStage): Promise<void> {
  await stage.place(2);
  const locked = await stage.lock(2);
  const refused = [504, { error: 'statementTimeout' }];
  expect(await stage.call('POST', '/orders/2/pay')).toEqual(refused);
  await until(async () => (await stage.changes()) === 0);
  await stage.unlock(locked);
  expect(await stage.paid(2)).toBe(0);
  // Where the session had to be ended for it (SQLite), the next one may take its time.
  await until(async () => (await stage.call('POST', '/orders/2/pay'))[0] === 200);
  expect(await stage.paid(2)).toBe(1);
}

async function whoGoesTakesTheStatementAlong(stage: ServiceStage): Promise<void> {
  await stage.place(3);
  const locked = await stage.lock(3);
  const client = httpRequest(`${stage.address}/orders/3/pay`, { method: 'POST' });
  const gone = new Promise((resolve) => client.once('close', resolve));
  client.on('error', () => undefined).end();
  await stage.untilItWaits();
  const left = performance.now();
  client.destroy();
  await gone;
  // The row is still locked, and nobody waits for it any more.
  await until(async () => (await stage.changes()) === 0);
  if (stage.isServer) expect(performance.now() - left).toBeLessThan(REQUEST_TIMEOUT_MS / 2);
  await stage.unlock(locked);
  await until(async () => (await stage.call('GET', '/health'))[0] === 200);
  expect(await stage.paid(3)).toBe(0);
}

/** SIGTERM: the request that runs is answered, no other is taken. */
async function whatRunsIsAnswered(stage: ServiceStage): Promise<void> {
  await stage.place(4);
  const locked = await stage.lock(4);
  const answered = stage.call('POST', '/orders/4/pay');
  await stage.untilItWaits();
  stage.program.process.kill('SIGTERM');
  await until(() =>
    fetch(`${stage.address}/health`, { headers: { connection: 'close' } }).then(
      ({ ok }) => !ok,
      () => true,
    ),
  );
  await stage.unlock(locked);
  expect(await answered).toEqual([200, { id: 4, item: 'hat', amount: 1, paid: 1 }]);
  expect(await stage.paid(4)).toBe(1);
}
