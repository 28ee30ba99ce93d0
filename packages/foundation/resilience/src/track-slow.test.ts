import { expect, expectTypeOf, test, vi } from 'vitest';
import { describeShapes } from './describe-shape.ts';
import { sleepBlocking } from './sleep-blocking.ts';
import { type SlowCall, trackSlow } from './track-slow.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('slow calls are reported with class, method, time and shapes; fast ones are not', async () => {
  const calls: SlowCall[] = [];
  const log = (call: SlowCall): void => {
    calls.push(call);
  };

  class Base {
    readonly #pause: number;

    constructor(pause: number) {
      this.#pause = pause;
    }

    @trackSlow({ thresholdMs: 20, log })
    async find(_secret: string, _ids: readonly number[]): Promise<string> {
      await sleep(this.#pause);
      return 'found';
    }

    @trackSlow({ thresholdMs: 20, log })
    block(): number {
      sleepBlocking(this.#pause);
      return 7;
    }

    @trackSlow({ thresholdMs: 20, log })
    static load(): number {
      sleepBlocking(30);
      return 7;
    }
  }
  class Orders extends Base {}

  expect(await new Orders(0).find('hunter2', [])).toBe('found');
  expect(calls).toEqual([]);
  expect(await new Orders(30).find('hunter2', [1, 2, 3])).toBe('found');
  expect(new Orders(30).block()).toBe(7);
  expect(Orders.load()).toBe(7);
  expect(calls).toMatchObject([
    { name: 'Orders.find', className: 'Orders', method: 'find', arguments: ['string', 'Array(3)'] },
    { name: 'Orders.block', failed: false, thresholdMs: 20 },
    { name: 'Orders.load' },
  ]);
  for (const { durationMs } of calls) expect(durationMs).toBeGreaterThan(20);
  expect(JSON.stringify(calls)).not.toContain('hunter2');
});

test('errors pass through and are reported as slow, too', async () => {
  const calls: SlowCall[] = [];
  const error = new Error('x');
  const options = { thresholdMs: 5, log: (call: SlowCall) => calls.push(call) };
  const later = trackSlow(async () => {
    await sleep(15);
    throw error;
  }, options);
  const now = trackSlow(options)(() => {
    sleepBlocking(15);
    throw error;
  });
  await expect(later()).rejects.toBe(error);
  expect(now).toThrow(error);
  expect(calls).toMatchObject([{ failed: true }, { failed: true }]);
});

test('without a log the process is warned, by default after two seconds', async () => {
  vi.useFakeTimers();
  const warnings: Error[] = [];
  const note = (warning: Error): void => {
    warnings.push(warning);
  };
  process.on('warning', note);
  const wait = trackSlow(async (ms: number, _secret: string) => sleep(ms), { name: 'wait' });
  const both = Promise.all([wait(1_999, 'hunter2'), wait(2_400, 'hunter2')]);
  await vi.runAllTimersAsync();
  await both;
  vi.useRealTimers();
  await expect.poll(() => warnings.length).toBe(1);
  process.off('warning', note);
  expect(warnings[0]).toMatchObject({
    name: 'SlowCallWarning',
    code: 'DAL_SLOW_CALL',
    message: 'wait(number, string) took 2400 ms; more than 2000 ms is slow.',
  });
});

test('a log that throws harms nothing', () => {
  const call = trackSlow({
    thresholdMs: 0,
    log: () => {
      throw new Error('bad log');
    },
  })(() => {
    sleepBlocking(1);
    return 7;
  });
  expect(call()).toBe(7);
});

test('a number is the threshold', () => {
  expectTypeOf(trackSlow((text: string) => text.length, 500)).toEqualTypeOf<
    (text: string) => number
  >();
  expect(trackSlow(500)((text: string) => text.length)('four')).toBe(4);
  expect(trackSlow('1s')(() => 7)()).toBe(7);
  expect(() => trackSlow(-1)).toThrow(/trackSlow\.thresholdMs/);
  expect(() => trackSlow({ treshold: 1 } as object)).toThrow('Did you mean "thresholdMs"?');
});

test('shapes show types and sizes, never a value or a key', () => {
  class User {
    readonly constructor_ = 1;
  }
  const shapes = describeShapes([
    'hunter2',
    'x'.repeat(5_000),
    7,
    7n,
    true,
    null,
    undefined,
    [1, 2],
    { 'bob@example.org': 1 },
    new User(),
    'eleventh',
    'twelfth',
  ]);
  expect(shapes).toEqual([
    'string',
    'string(5000)',
    'number',
    'bigint',
    'boolean',
    'null',
    'undefined',
    'Array(2)',
    'Object(1)',
    'User',
    '2 more',
  ]);
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  expect(
    describeShapes([
      Buffer.alloc(9),
      new Map([[1, 2]]),
      new Date(),
      Object.create(null),
      { constructor: { name: 'hunter2' } },
      revoked.proxy,
      Symbol('hunter2'),
      () => 'hunter2',
    ]),
  ).toEqual([
    'Buffer(9)',
    'Map(1)',
    'Date',
    'Object(0)',
    'Object(1)',
    'object',
    'symbol',
    'function',
  ]);
});
