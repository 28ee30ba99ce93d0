// Why only the waits come from cockatiel 4, and the loop and the states are the package's own.
// Should one of these tests fail one day, that part of cockatiel is worth another look.
import { circuitBreaker, ConsecutiveBreaker, ConstantBackoff, handleAll, retry } from 'cockatiel';
import { expect, test } from 'vitest';

test('its retry sleeps on after an abort, and its timer holds the process', async () => {
  const controller = new AbortController();
  const policy = retry(handleAll, { maxAttempts: 1, backoff: new ConstantBackoff(300) });
  const started = performance.now();
  const outcome = policy.execute(() => Promise.reject(new Error('x')), controller.signal);
  setTimeout(() => controller.abort(), 10);
  await expect(outcome).rejects.toThrow('x');
  expect(performance.now() - started).toBeGreaterThan(280);
});

test('its breaker lets callers wait behind a trial call that never ends', async () => {
  const policy = circuitBreaker(handleAll, {
    halfOpenAfter: 1,
    breaker: new ConsecutiveBreaker(1),
  });
  await policy.execute(() => Promise.reject(new Error('x'))).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 5));
  void policy.execute(() => new Promise(() => undefined));
  const caller = policy
    .execute(() => 'served')
    .then(
      () => 'settled',
      () => 'settled',
    );
  const later = new Promise((resolve) => setTimeout(resolve, 200, 'still waiting'));
  expect(await Promise.race([caller, later])).toBe('still waiting');
});

test('its policies make a promise of every answer, so that sync functions are out of reach', () => {
  const policy = retry(handleAll, { maxAttempts: 1 });
  expect(policy.execute(() => 7)).toBeInstanceOf(Promise);
});
