// Why lending is the pool's own code: tarn 3.1 loses a connection for good when it is given back in
// the moment in which a waiter gives up. Should this test fail one day, tarn is worth another look.
import { Pool as Tarn } from 'tarn';
import { expect, test } from 'vitest';

/** Whether the next caller is served after a waiter gave up, `ticks` microtasks before a release. */
async function servesAfterAbort(ticks: number): Promise<boolean> {
  const tarn = new Tarn<object>({
    min: 0,
    max: 1,
    create: () => Promise.resolve({}),
    destroy: () => Promise.resolve(),
    acquireTimeoutMillis: 200,
  });
  const holder = await tarn.acquire().promise;
  const impatient = tarn.acquire();
  impatient.promise.catch(() => undefined);
  impatient.abort();
  for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
  tarn.release(holder);
  return tarn.acquire().promise.then(
    (resource) => {
      tarn.release(resource);
      return true;
    },
    () => false,
  );
}

test('tarn loses a connection when a waiter gives up in the moment of a release', async () => {
  const served = await Promise.all(
    Array.from({ length: 12 }, (_, ticks) => servesAfterAbort(ticks)),
  );
  expect(served).toContain(false);
});
