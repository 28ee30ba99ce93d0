import { ConnectionError, QueryError } from '@dal/core';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { attemptsOf } from './attempts.ts';
import { RetryBudget } from './retry-budget.ts';
import type { RetryEvent } from './retry-options.ts';
import { retry } from './retry.ts';

const notSent = (): Error =>
  new ConnectionError('x', { fault: { kind: 'connection', applied: 'no' } });
const cut = (): Error =>
  new ConnectionError('x', {
    fault: { kind: 'connection', connectionLost: true, applied: 'unknown' },
  });

/** A function that fails with these errors, one after the other, and then answers its argument. */
function failing(...errors: unknown[]): { fn: (value: number) => number; calls: () => number } {
  let calls = 0;
  return {
    fn: (value) => {
      const error = errors[calls++];
      if (calls <= errors.length) throw error;
      return value;
    },
    calls: () => calls,
  };
}

describe('async functions', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    // Nothing may be left that holds the process.
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test('run again after errors that surely had no effect', async () => {
    const { fn, calls } = failing(notSent(), notSent(), notSent());
    const load = retry()(async (value: number) => fn(value));
    const answer = load(7);
    await vi.runAllTimersAsync();
    expect(await answer).toBe(7);
    expect(calls()).toBe(4);
  });

  test('after maxRetries the last error is thrown as it is, with those before it', async () => {
    const errors = [notSent(), notSent(), notSent(), notSent(), notSent()];
    const { fn, calls } = failing(...errors);
    const outcome = retry(async () => fn(1))().catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    expect(await outcome).toBe(errors[3]);
    expect(errors[3]).toHaveProperty('attempts', errors.slice(0, 3));
    expect(calls()).toBe(4);
  });

  const verdicts: [what: string, error: unknown, plain: number, idempotent: number][] = [
    ['never sent', notSent(), 4, 4],
    ['deadlock', new QueryError('', { fault: { kind: 'deadlock', applied: 'no' } }), 4, 4],
    ['cut, outcome unknown', cut(), 1, 4],
    ['unique violation', new QueryError('', { fault: { kind: 'unique', applied: 'no' } }), 1, 1],
    ['timeout', new QueryError('', { fault: { kind: 'statementTimeout' } }), 1, 1],
    ['refused', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 4, 4],
    ['reset', Object.assign(new Error('x'), { code: 'ECONNRESET' }), 1, 4],
    ['a bug', new TypeError('x'), 1, 1],
    ['a text', 'x', 1, 1],
  ];
  test.each(verdicts)('%s', async (_, error, plain, idempotent) => {
    for (const [options, expected] of [
      [{}, plain],
      [{ idempotent: true }, idempotent],
    ] as const) {
      const { fn, calls } = failing(...Array.from({ length: 9 }, () => error));
      const outcome = retry(options)(async () => fn(1))().catch((thrown: unknown) => thrown);
      await vi.runAllTimersAsync();
      expect(await outcome).toBe(error);
      expect(calls()).toBe(expected);
    }
  });

  test('waits are spread, double, and stay under the limit', async () => {
    const delays: number[][] = [[], [], [], [], []];
    const load = retry({
      maxRetries: 5,
      baseDelayMs: 100,
      maxDelayMs: 400,
      retryOn: Error,
      onRetry: ({ attempt, delayMs }) => delays[attempt - 1]?.push(delayMs),
    })(() => Promise.reject(new Error('x')));
    const all = Promise.allSettled(Array.from({ length: 200 }, load));
    await vi.runAllTimersAsync();
    await all;
    for (const [index, limit] of [100, 200, 400, 400, 400].entries()) {
      expect(Math.max(...(delays[index] ?? []))).toBeLessThanOrEqual(limit);
      expect(Math.max(...(delays[index] ?? []))).toBeGreaterThan(limit * 0.9);
      expect(Math.min(...(delays[index] ?? []))).toBeLessThan(limit * 0.1);
    }
  });

  test('waits are made to fit the total: no attempt begins after it, none is given up early', async () => {
    for (let round = 0; round < 50; round++) {
      const begun: number[] = [];
      let waited = 0;
      const start = performance.now();
      const outcome = retry({
        maxRetries: 100,
        baseDelayMs: '10s',
        totalTimeoutMs: 1_000,
        retryOn: Error,
        onRetry: ({ delayMs }) => (waited += delayMs),
      })(async () => {
        begun.push(performance.now() - start);
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw new Error('x');
      })().catch((error: unknown) => error);
      await vi.runAllTimersAsync();
      expect(await outcome).toBeInstanceOf(Error);
      expect(begun.length).toBeGreaterThan(1);
      expect(waited).toBeLessThan(1_000);
      expect(Math.max(...begun)).toBeLessThanOrEqual(1_001);
      expect(attemptsOf(await outcome)).toHaveLength(begun.length - 1);
    }
  });

  test('an attempt that took all of the time is the last one', async () => {
    const { fn, calls } = failing(notSent(), notSent());
    const outcome = retry({ totalTimeoutMs: 50 })(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return fn(1);
    })().catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    expect(await outcome).toBeInstanceOf(ConnectionError);
    expect(calls()).toBe(1);
  });

  test('an abort ends the wait at once, with all attempts so far', async () => {
    const controller = new AbortController();
    const error = notSent();
    const { fn, calls } = failing(error);
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const outcome = retry({ signal: controller.signal, baseDelayMs: 5_000 })(async () => fn(1))();
    const caught = outcome.catch((thrown: unknown) => thrown);
    await vi.advanceTimersByTimeAsync(1_000);
    controller.abort(new Error('enough'));
    expect(await caught).toMatchObject({ code: 'DAL_ABORTED', attempts: [error] });
    expect(calls()).toBe(1);
    vi.mocked(Math.random).mockRestore();
  });

  test('a signal that was aborted meanwhile leads to no other attempt', async () => {
    const controller = new AbortController();
    const { fn, calls } = failing(notSent());
    const outcome = retry({ signal: controller.signal })(async () => {
      controller.abort();
      return fn(1);
    })();
    await expect(outcome).rejects.toMatchObject({
      code: 'DAL_ABORTED',
      attempts: [{ name: 'ConnectionError' }],
    });
    expect(calls()).toBe(1);
  });

  test('retryOn takes a class, several, or a function', async () => {
    const tries = async (retryOn: never, error: unknown): Promise<number> => {
      const { fn, calls } = failing(...Array.from({ length: 9 }, () => error));
      const outcome = retry({ retryOn, maxRetries: 1 })(async () => fn(1))().catch(() => undefined);
      await vi.runAllTimersAsync();
      await outcome;
      return calls();
    };
    expect(await tries(RangeError as never, new RangeError('x'))).toBe(2);
    expect(await tries(RangeError as never, new TypeError('x'))).toBe(1);
    expect(await tries([RangeError, ConnectionError] as never, cut())).toBe(2);
    expect(await tries([RangeError] as never, 'x')).toBe(1);
    expect(await tries(((error: unknown) => error === 'x') as never, 'x')).toBe(2);
    // A promise is no yes, and a function that throws hides nothing.
    expect(await tries((() => Promise.resolve(true)) as never, 'x')).toBe(1);
    expect(await tries((() => Promise.reject(new Error('bad'))) as never, 'x')).toBe(1);
  });

  test('a class of another copy of the layer is the same class', async () => {
    vi.resetModules();
    const other = await import('@dal/core');
    expect(other.ConnectionError).not.toBe(ConnectionError);
    const { fn, calls } = failing(new other.ConnectionError('x'), new other.QueryError('x'));
    const outcome = retry({ retryOn: [ConnectionError] })(async () => fn(1))();
    const caught = outcome.catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    expect(await caught).toMatchObject({ name: 'QueryError' });
    expect(calls()).toBe(2);
  });

  test('an outage is not made worse: 10,000 calls bring at most a fifth more', async () => {
    let calls = 0;
    const load = retry({ budget: new RetryBudget() })(() => {
      calls++;
      return Promise.reject(notSent());
    });
    for (let batch = 0; batch < 100; batch++) {
      const all = Promise.allSettled(Array.from({ length: 100 }, load));
      await vi.runAllTimersAsync();
      await all;
    }
    expect(calls).toBeLessThanOrEqual(12_010);
    expect(calls).toBeGreaterThan(11_900);
  });

  test('arguments are checked before a promise is there: the later attempts are awaited', async () => {
    let calls = 0;
    const load = retry({ retryOn: Error })((value: number) => {
      calls++;
      if (calls === 2) throw new Error('thrown at once');
      return Promise.resolve(value);
    });
    expect(await load(1)).toBe(1);
    const second = load(2);
    expect(second).toBeInstanceOf(Promise);
    // The wait holds nobody up.
    expect(calls).toBe(2);
    await vi.runAllTimersAsync();
    expect(await second).toBe(2);
  });
});

describe('sync functions', () => {
  test('run again after a blocking wait', () => {
    const events: RetryEvent[] = [];
    const { fn, calls } = failing(notSent(), notSent());
    const load = retry({ baseDelayMs: 40, onRetry: (event) => events.push(event) })(fn);
    const start = performance.now();
    expect(load(7)).toBe(7);
    const waited = events.reduce((sum, { delayMs }) => sum + delayMs, 0);
    expect(performance.now() - start).toBeGreaterThanOrEqual(waited * 0.99 - 1);
    expect(calls()).toBe(3);
    expect(events).toMatchObject([
      { name: 'fn', attempt: 1 },
      { name: 'fn', attempt: 2 },
    ]);
  });

  test('throw the last error as it is, with those before it', () => {
    const errors = [notSent(), notSent(), notSent(), notSent()];
    const load = retry(failing(...errors).fn, { baseDelayMs: 1 });
    expect(() => load(1)).toThrow(errors[3]);
    expect(attemptsOf(errors[3])).toEqual(errors.slice(0, 3));
  });

  test('stop when the signal was aborted meanwhile', () => {
    const controller = new AbortController();
    let calls = 0;
    const load = retry({ signal: controller.signal })(() => {
      calls++;
      controller.abort();
      throw notSent();
    });
    expect(load).toThrow(expect.objectContaining({ code: 'DAL_ABORTED' }));
    expect(calls).toBe(1);
  });

  test('keep to the total', () => {
    const start = performance.now();
    const load = retry({ maxRetries: 100, totalTimeoutMs: 60, retryOn: Error })(() => {
      throw new Error('x');
    });
    expect(load).toThrow('x');
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('a listener that throws harms nothing', () => {
    const load = retry({
      baseDelayMs: 1,
      onRetry: () => {
        throw new Error('bad listener');
      },
    })(failing(notSent()).fn);
    expect(load(7)).toBe(7);
  });
});

describe('decorated methods', () => {
  class Orders {
    readonly #factor = 10;
    calls = 0;

    @retry({ baseDelayMs: 1 })
    async find(id: number): Promise<number> {
      if (++this.calls < 3) throw notSent();
      return id * this.#factor;
    }

    @retry
    count(): number {
      if (++this.calls < 2) throw notSent();
      return this.#factor;
    }

    @retry({ retryOn: [TypeError] })
    static make(): Orders {
      return new this();
    }
  }

  test('keep their object, their type and their name', async () => {
    const orders = Orders.make();
    expect(await orders.find(4)).toBe(40);
    expect(orders.calls).toBe(3);
    expect(new Orders().count()).toBe(10);
    expect(Orders.prototype.find.name).toBe('find');
    expect(Orders.prototype.find).toHaveLength(1);
    expectTypeOf(orders.find).toEqualTypeOf<(id: number) => Promise<number>>();
    expectTypeOf(retry((text: string) => text.length)).toEqualTypeOf<(text: string) => number>();
  });
});

test('wrong options and wrong places are refused when it is applied', () => {
  expect(() => retry({ max_retries: 3 } as object)).toThrow('Did you mean "maxRetries"?');
  expect(() => retry({ exceptions: [] } as object)).toThrow('Did you mean "retryOn"?');
  expect(() => retry({ maxRetries: -1 })).toThrow(/retry\.maxRetries .* from 0 to 100/);
  expect(() => retry({ retryOn: [] })).toThrow(/retry\.retryOn must be an error class/);
  expect(() => retry({ retryOn: [7 as never] })).toThrow(/retry\.retryOn/);
  expect(() => retry({ signal: {} as never })).toThrow(/retry\.signal/);
  expect(() => retry({ budget: {} as never })).toThrow(/retry\.budget/);
  const decorate = retry({}) as unknown as (...args: unknown[]) => unknown;
  expect(() => decorate({}, 'find', {})).toThrow(/experimentalDecorators/);
  expect(() => decorate(undefined, { kind: 'field' })).toThrow(/standard decorators/);
});
