import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

test('10,000 calls in an outage bring at most 20 % more load, and the reserve', () => {
  const budget = new RetryBudget();
  let retries = 0;
  for (let call = 0; call < 10_000; call++) {
    budget.earn();
    for (let attempt = 1; attempt <= 3 && budget.tryRetry(); attempt++) retries++;
  }
  expect(retries).toBeLessThanOrEqual(2_010);
  // It is used, too.
  expect(retries).toBeGreaterThan(1_990);
});

test('good times pay for a hundred retries at once and no more', () => {
  const budget = new RetryBudget();
  for (let call = 0; call < 100_000; call++) budget.earn();
  expect(budget.available).toBe(100);
  for (let retry = 0; retry < 100; retry++) expect(budget.tryRetry()).toBe(true);
  expect(budget.tryRetry()).toBe(false);
  for (let call = 0; call < 5; call++) budget.earn();
  expect(budget.tryRetry()).toBe(true);
  expect(budget.tryRetry()).toBe(false);
});

test('in no stretch of time there are more retries than were paid for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20 }),
      fc.constantFrom(0, 0.1, 0.2, 0.5, 1),
      fc.array(fc.boolean(), { maxLength: 300, size: 'max' }),
      (reserve, ratio, steps) => {
        const budget = new RetryBudget({ reserve, ratio });
        let calls = 0;
        let retries = 0;
        for (const isCall of steps) {
          if (isCall) {
            calls++;
            budget.earn();
          } else if (budget.tryRetry()) {
            retries++;
          }
        }
        expect(retries).toBeLessThanOrEqual(calls * ratio + reserve + 1e-9);
      },
    ),
  );
});

test('wrong options are refused by name', () => {
  expect(() => new RetryBudget({ ratio: 20 })).toThrow(/RetryBudget\.ratio .* from 0 to 1/);
  expect(() => new RetryBudget({ reserved: 1 } as object)).toThrow('Did you mean "reserve"?');
});
