import { ConnectionError } from '@dal/core';
import { expect, expectTypeOf, test } from 'vitest';
import { circuitBreaker } from './circuit-breaker-wrapper.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

const lost = new ConnectionError('gone', { kind: 'connection' });
const opened = expect.objectContaining({ code: 'DAL_CIRCUIT_OPEN' }) as unknown;

function caught(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

test('a sync function throws, an async one rejects, and neither is called while it is open', async () => {
  let calls = 0;
  const fail = (): never => {
    calls++;
    throw lost;
  };
  const sync = circuitBreaker({ failureThreshold: 2 })(fail);
  expect([caught(sync), caught(sync), caught(sync)]).toEqual([lost, lost, opened]);

  const later = circuitBreaker({ failureThreshold: 2 })(async () => fail());
  await expect(later()).rejects.toBe(lost);
  await expect(later()).rejects.toBe(lost);
  await expect(later()).rejects.toEqual(opened);
  expect(calls).toBe(4);
});

test('a plain function that answered with a promise before rejects too', async () => {
  const load = circuitBreaker(() => Promise.reject(lost), { failureThreshold: 1 });
  await expect(load()).rejects.toBe(lost);
  await expect(load()).rejects.toEqual(opened);
});

test('an async function stays one through several wrappers', async () => {
  const inner = circuitBreaker({ failureThreshold: 1 })(async () => 7);
  const outer = circuitBreaker({ name: 'outer', failureThreshold: 1 })(inner);
  CircuitBreaker.get('outer').recordFailure();
  await expect(outer()).rejects.toEqual(opened);
  CircuitBreaker.forget('outer');
});

test('functions with one name share a breaker, others have their own', () => {
  const options = { name: 'shared', failureThreshold: 1 };
  const one = circuitBreaker(options)(() => {
    throw lost;
  });
  const two = circuitBreaker(options)(() => 7);
  const own = circuitBreaker({ failureThreshold: 1 })(() => 7);
  expect(two()).toBe(7);
  expect(caught(one)).toBe(lost);
  expect(caught(two)).toEqual(opened);
  expect(own()).toBe(7);
  expect(CircuitBreaker.get('shared').state).toBe('open');
  CircuitBreaker.get('shared').reset();
  expect(two()).toBe(7);
  CircuitBreaker.forget('shared');
});

test('a breaker of one can be given, and methods are decorated', async () => {
  const breaker = new CircuitBreaker('mine', { failureThreshold: 1 });

  class Orders {
    readonly #factor = 10;

    @circuitBreaker(breaker)
    async find(id: number): Promise<number> {
      return id * this.#factor;
    }

    @circuitBreaker
    count(): number {
      return this.#factor;
    }
  }

  const orders = new Orders();
  expect(await orders.find(4)).toBe(40);
  expect(orders.count()).toBe(10);
  breaker.recordFailure(lost);
  await expect(orders.find(4)).rejects.toMatchObject({
    message: expect.stringContaining('The circuit breaker "mine" is open'),
    cause: lost,
  });
  expectTypeOf(orders.find).toEqualTypeOf<(id: number) => Promise<number>>();
});

test('wrong options are refused when it is applied', () => {
  expect(() => circuitBreaker({ threshold: 3 } as object)(() => 1)).toThrow(
    'Did you mean "failureThreshold"?',
  );
  circuitBreaker({ name: 'twice', failureThreshold: 3 });
  expect(() => circuitBreaker({ name: 'twice', failureThreshold: 4 })).toThrow(
    /"twice" exists with failureThreshold 3/,
  );
  CircuitBreaker.forget('twice');
});
