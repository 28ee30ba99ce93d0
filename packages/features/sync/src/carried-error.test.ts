import * as core from '@dal/core';
import { DalError, isDalError, QueryError } from '@dal/core';
import { expect, test } from 'vitest';
import { carryError, uncarryError } from './carried-error.ts';

/** There and back, with what the way between two threads does to it. */
function travelled(error: unknown): unknown {
  return uncarryError(structuredClone(carryError(error)));
}

const classes = Object.values(core).filter(
  (it): it is typeof DalError =>
    typeof it === 'function' && (it === DalError || it.prototype instanceof DalError),
);

test.each(classes)('$name arrives as what it is', (type) => {
  const fault = { kind: 'deadlock', applied: 'no', code: '40P01' } as const;
  const error = new type('words', { code: 'DAL_X', fault, cause: new TypeError('why') });
  error.attempts = [new QueryError('the first'), new Error('the second')];
  const arrived = travelled(error) as DalError;
  expect(arrived).toBeInstanceOf(type);
  expect(arrived.constructor).toBe(type);
  expect(arrived).toMatchObject({ name: type.name, message: 'words', kind: 'deadlock', fault });
  expect(arrived.cause).toBeInstanceOf(TypeError);
  expect(arrived.attempts.map(({ message }) => message)).toEqual(['the first', 'the second']);
  expect(arrived.attempts[0]).toBeInstanceOf(QueryError);
});

test("a stranger's class becomes one of the layer that bears its name", () => {
  class ShardError extends DalError {
    override readonly name: string = 'ShardError';
    readonly shard = 7;
  }
  const arrived = travelled(new ShardError('words', { kind: 'shard' }));
  expect(isDalError(arrived)).toBe(true);
  expect(arrived).toMatchObject({ name: 'ShardError', kind: 'shard', shard: 7 });
  expect(String(arrived)).toBe('ShardError: words');
});

test("a library's error keeps its fields and stack, without what cannot travel", () => {
  const error = Object.assign(new Error('refused'), {
    code: 'ECONNREFUSED',
    address: { port: 5 },
    socket: { write: () => undefined },
    retry: () => undefined,
  });
  const arrived = travelled(error) as Error;
  expect(arrived).toMatchObject({ message: 'refused', code: 'ECONNREFUSED', address: { port: 5 } });
  expect(arrived.stack).toBe(error.stack);
  expect(arrived).not.toHaveProperty('socket');
  expect(arrived).not.toHaveProperty('retry');
});

test('an error that is its own cause comes to an end', () => {
  const error = new Error('circle');
  error.cause = error;
  let depth = 0;
  for (let at = travelled(error) as Error | undefined; at; at = at.cause as Error | undefined) {
    depth++;
  }
  expect(depth).toBeGreaterThan(1);
  expect(depth).toBeLessThan(20);
});

test.each([[undefined], [null], ['text'], [7n]])('%s as what was thrown stays that', (thrown) => {
  expect(travelled(thrown)).toBe(thrown);
});
