import { CircuitOpenError, ConnectionError, QueryError } from '@dal/core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CircuitBreaker, type CircuitState } from './circuit-breaker.ts';

const lost = new ConnectionError('gone', { kind: 'connection' });
const taken = new QueryError('taken', { fault: { kind: 'unique', applied: 'no' } });

/** A breaker with the defaults on a clock of its own. */
function withClock(options = {}): { breaker: CircuitBreaker; pass: (ms: number) => void } {
  let now = 1_000;
  const breaker = new CircuitBreaker('test', { now: () => now, ...options });
  return { breaker, pass: (ms) => (now += ms) };
}

function open(breaker: CircuitBreaker): void {
  for (let failure = 0; failure < 5; failure++) breaker.recordFailure(lost);
}

describe('states', () => {
  test('five failures within a minute open it, four do not', () => {
    const { breaker, pass } = withClock();
    for (let failure = 1; failure <= 4; failure++) {
      breaker.recordFailure();
      pass(14_999);
      expect(breaker.state).toBe('closed');
    }
    breaker.recordFailure();
    expect(breaker.state).toBe('open');
    expect(breaker.allowRequest()).toBe(false);
  });

  test('failures that are older than the window do not count, successes change nothing', () => {
    const { breaker, pass } = withClock();
    for (let failure = 1; failure <= 20; failure++) {
      breaker.recordFailure();
      breaker.recordSuccess();
      pass(15_000);
    }
    expect(breaker.state).toBe('closed');
  });

  test('after 30 s three calls are let through on trial; when all work, it closes', () => {
    const { breaker, pass } = withClock();
    open(breaker);
    pass(29_999);
    expect(breaker.allowRequest()).toBe(false);
    expect(breaker.retryAfterMs).toBe(1);
    pass(1);
    expect(breaker.state).toBe('halfOpen');
    expect([1, 2, 3, 4].map(() => breaker.allowRequest())).toEqual([true, true, true, false]);
    breaker.recordSuccess();
    breaker.recordSuccess();
    expect(breaker.state).toBe('halfOpen');
    expect(breaker.allowRequest()).toBe(false);
    breaker.recordSuccess();
    expect(breaker.state).toBe('closed');
    // What opened it is forgotten.
    for (let failure = 1; failure <= 4; failure++) breaker.recordFailure();
    expect(breaker.state).toBe('closed');
  });

  test('one failure on trial opens it for another 30 s', () => {
    const { breaker, pass } = withClock();
    open(breaker);
    pass(30_000);
    breaker.allowRequest();
    breaker.allowRequest();
    breaker.recordSuccess();
    breaker.recordFailure();
    expect(breaker.state).toBe('open');
    // The other trial call ends now; it changes nothing.
    breaker.recordSuccess();
    pass(29_999);
    expect(breaker.state).toBe('open');
    pass(1);
    expect(breaker.state).toBe('halfOpen');
  });

  test('trial calls that are never heard of again give their places to others', () => {
    const { breaker, pass } = withClock();
    open(breaker);
    pass(30_000);
    expect([1, 2, 3, 4].map(() => breaker.allowRequest())).toEqual([true, true, true, false]);
    breaker.recordSuccess();
    pass(29_999);
    expect(breaker.allowRequest()).toBe(false);
    expect(breaker.retryAfterMs).toBe(1);
    pass(1);
    // The one that worked keeps its place.
    expect([1, 2, 3].map(() => breaker.allowRequest())).toEqual([true, true, false]);
    breaker.recordSuccess();
    breaker.recordSuccess();
    expect(breaker.state).toBe('closed');
  });

  test('calls from before the trial neither close it nor open it again', async () => {
    const { breaker, pass } = withClock();
    const early = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const runs = early.map(({ promise }) => breaker.run(() => promise));
    open(breaker);
    pass(30_000);
    expect(breaker.allowRequest()).toBe(true);
    early[0].resolve();
    early[1].reject(lost);
    await Promise.allSettled(runs);
    expect(breaker.state).toBe('halfOpen');
    expect([1, 2, 3].map(() => breaker.allowRequest())).toEqual([true, true, false]);
    breaker.recordSuccess();
    breaker.recordSuccess();
    expect(breaker.state).toBe('halfOpen');
    breaker.recordSuccess();
    expect(breaker.state).toBe('closed');
  });

  test('calls from before a reset count no more', async () => {
    const { breaker } = withClock({ failureThreshold: 1 });
    const early = Promise.withResolvers<void>();
    const run = breaker.run(() => early.promise);
    open(breaker);
    breaker.reset();
    early.reject(lost);
    await expect(run).rejects.toBe(lost);
    expect(breaker.state).toBe('closed');
  });

  test('reset closes it and forgets', () => {
    const { breaker } = withClock();
    open(breaker);
    breaker.reset();
    expect(breaker.state).toBe('closed');
    for (let failure = 1; failure <= 4; failure++) breaker.recordFailure();
    expect(breaker.allowRequest()).toBe(true);
  });

  test('it agrees with a plain model, whatever happens', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ pass: fc.integer({ min: 0, max: 60 }) }) },
      { weight: 8, arbitrary: fc.constantFrom('allow' as const, 'success' as const) },
      { weight: 4, arbitrary: fc.constant('failure' as const) },
      { weight: 1, arbitrary: fc.constant('reset' as const) },
    );
    const numbers = fc.record({
      failureThreshold: fc.integer({ min: 1, max: 4 }),
      recoveryTimeoutMs: fc.integer({ min: 1, max: 60 }),
      halfOpenMaxCalls: fc.integer({ min: 1, max: 3 }),
      windowMs: fc.integer({ min: 1, max: 80 }),
    });
    fc.assert(
      fc.property(numbers, fc.array(step, { maxLength: 120, size: 'max' }), (options, steps) => {
        const { breaker, pass } = withClock(options);
        const model = new Model(options);
        for (const one of steps) {
          if (typeof one === 'object') {
            pass(one.pass);
            model.now += one.pass;
          } else if (one === 'allow') {
            expect(breaker.allowRequest()).toBe(model.allow());
          } else if (one === 'success') {
            breaker.recordSuccess();
            model.success();
          } else if (one === 'failure') {
            breaker.recordFailure();
            model.failure();
          } else {
            breaker.reset();
            model.reset();
          }
          expect(breaker.state).toBe(model.look());
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** The same behaviour without any cleverness: it keeps everything and counts again each time. */
class Model {
  now = 1_000;
  state: CircuitState = 'closed';
  failures: number[] = [];
  openedAt = 0;
  waiting: number[] = [];
  worked = 0;
  readonly options;

  constructor(options: Record<string, number>) {
    this.options = options as {
      failureThreshold: number;
      recoveryTimeoutMs: number;
      halfOpenMaxCalls: number;
      windowMs: number;
    };
  }

  look(): CircuitState {
    if (this.state === 'open' && this.now >= this.openedAt + this.options.recoveryTimeoutMs) {
      this.state = 'halfOpen';
      this.waiting = [];
      this.worked = 0;
    }
    return this.state;
  }

  allow(): boolean {
    if (this.look() !== 'halfOpen') return this.state === 'closed';
    const { halfOpenMaxCalls, recoveryTimeoutMs } = this.options;
    if (this.worked + this.waiting.length >= halfOpenMaxCalls) {
      if (this.now - Math.max(...this.lent) < recoveryTimeoutMs) return false;
      this.waiting = [];
    }
    this.waiting.push(this.now);
    this.lent.push(this.now);
    return true;
  }

  lent: number[] = [];

  success(): void {
    if (this.state !== 'halfOpen' || this.waiting.length === 0) return;
    this.waiting.shift();
    this.worked++;
    if (this.worked === this.options.halfOpenMaxCalls) this.reset();
  }

  failure(): void {
    if (this.state === 'closed') {
      this.failures.push(this.now);
      const recent = this.failures.filter((time) => this.now - time < this.options.windowMs);
      if (recent.length < this.options.failureThreshold) return;
    } else if (this.state === 'open' || this.waiting.length === 0) {
      return;
    }
    this.state = 'open';
    this.openedAt = this.now;
  }

  reset(): void {
    this.state = 'closed';
    this.failures = [];
  }
}

describe('run', () => {
  test('answers what the function answers, at once or later, and passes its errors', async () => {
    const { breaker } = withClock();
    expect(breaker.run(() => 7)).toBe(7);
    await expect(breaker.run(() => Promise.resolve(7))).resolves.toBe(7);
    expect(() =>
      breaker.run(() => {
        throw taken;
      }),
    ).toThrow(taken);
    await expect(breaker.run(() => Promise.reject(lost))).rejects.toBe(lost);
  });

  test('while it is open nothing is called, and the error says what, since when and until when', async () => {
    const { breaker, pass } = withClock();
    open(breaker);
    pass(12_000);
    let calls = 0;
    const call = (): number => calls++;
    let error: unknown;
    try {
      breaker.run(call);
    } catch (thrown) {
      error = thrown;
    }
    expect(calls).toBe(0);
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error).toMatchObject({
      code: 'DAL_CIRCUIT_OPEN',
      kind: 'circuitOpen',
      retryAfterMs: 18_000,
      cause: lost,
      message: expect.stringMatching(
        /^The circuit breaker "test" is open: 5 failures within 60 s opened it at 20\S+Z, 12 s ago, the last of kind connection\. The next call is let through in 18 s\.$/,
      ),
    });
    // Who called an async function listens to its promise only.
    const later = breaker.run(async () => call());
    await expect(later).rejects.toMatchObject({ code: 'DAL_CIRCUIT_OPEN' });
    expect(calls).toBe(0);
  });

  test('a promise that never settles does not hold the trial for ever', async () => {
    const { breaker, pass } = withClock({ halfOpenMaxCalls: 1, failureThreshold: 1 });
    open(breaker);
    pass(30_000);
    const stuck = Promise.withResolvers<void>();
    const stuckRun = breaker.run(() => stuck.promise);
    expect(() => breaker.run(() => 1)).toThrow(/half open, and 1 calls on trial/);
    pass(30_000);
    expect(breaker.run(() => 1)).toBe(1);
    expect(breaker.state).toBe('closed');
    // It comes too late to say anything.
    stuck.reject(lost);
    await expect(stuckRun).rejects.toBe(lost);
    expect(breaker.state).toBe('closed');
  });

  test('a trial call whose place was given away says nothing any more', async () => {
    const { breaker, pass } = withClock({ halfOpenMaxCalls: 2 });
    open(breaker);
    pass(30_000);
    const slow = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const runs = slow.map(({ promise }) => breaker.run(() => promise));
    pass(30_000);
    expect(breaker.allowRequest()).toBe(true);
    slow[0].reject(lost);
    slow[1].resolve();
    await Promise.allSettled(runs);
    expect(breaker.state).toBe('halfOpen');
    expect([1, 2].map(() => breaker.allowRequest())).toEqual([true, false]);
  });

  const fail = (breaker: CircuitBreaker, error: unknown): void => {
    try {
      breaker.run(() => {
        throw error;
      });
    } catch {
      // Seen by the breaker.
    }
  };

  const judged: [what: string, error: unknown, counts: boolean][] = [
    ['a lost connection', lost, true],
    ['a server that starts', new QueryError('', { fault: { kind: 'notReady' } }), true],
    ['no free connection', new QueryError('', { kind: 'overloaded' }), true],
    ['a timeout', new QueryError('', { fault: { kind: 'statementTimeout' } }), true],
    ['a shutdown', new QueryError('', { fault: { kind: 'x', connectionLost: true } }), true],
    ['a refused socket', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), true],
    ['a lost line as cause', new Error('save failed', { cause: lost }), true],
    ['a unique violation', taken, false],
    ['a deadlock', new QueryError('', { fault: { kind: 'deadlock' } }), false],
    ['a syntax error', new QueryError('', { fault: { kind: 'syntax' } }), false],
    ['an abort', new QueryError('', { kind: 'cancelled' }), false],
    ['an open breaker', new CircuitOpenError('x', { kind: 'circuitOpen' }), false],
    ['a bug', new TypeError('x is undefined'), false],
    ['a thrown text', 'x', false],
    ['nothing', undefined, false],
  ];
  test.each(judged)('%s', (_, error, counts) => {
    const { breaker } = withClock();
    for (let failure = 0; failure < 100; failure++) fail(breaker, error);
    expect(breaker.state).toBe(counts ? 'open' : 'closed');
  });

  test('on trial a refused row is a sign of life; a bug says nothing and gives its place back', () => {
    const { breaker, pass } = withClock();
    open(breaker);
    pass(30_000);
    for (let call = 0; call < 10; call++) fail(breaker, new TypeError('x'));
    expect(breaker.state).toBe('halfOpen');
    for (let call = 0; call < 3; call++) fail(breaker, taken);
    expect(breaker.state).toBe('closed');
  });

  test('failOn decides instead', () => {
    const { breaker } = withClock({ failOn: [RangeError] });
    for (let failure = 0; failure < 9; failure++) fail(breaker, lost);
    expect(breaker.state).toBe('closed');
    for (let failure = 0; failure < 5; failure++) fail(breaker, new RangeError('x'));
    expect(breaker.state).toBe('open');
  });
});

describe('names', () => {
  test('the same name is the same breaker', () => {
    const made = CircuitBreaker.get('orders', { failureThreshold: 2 });
    expect(CircuitBreaker.get('orders')).toBe(made);
    expect(CircuitBreaker.getOrCreate('orders', { failureThreshold: 2, windowMs: '60s' })).toBe(
      made,
    );
    expect(() => CircuitBreaker.get('orders', { failureThreshold: 3 })).toThrow(
      'The circuit breaker "orders" exists with failureThreshold 2; it can\'t have 3 too.',
    );
    expect(CircuitBreaker.forget('orders')).toBe(true);
    expect(CircuitBreaker.get('orders')).not.toBe(made);
    CircuitBreaker.forget('orders');
  });

  test('there are at most 1,000 names', () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `name ${index}`);
    for (const name of names) CircuitBreaker.get(name);
    expect(() => CircuitBreaker.get('one more')).toThrow(/1000 circuit breakers already/);
    for (const name of names) CircuitBreaker.forget(name);
  });

  test('wrong options are refused by name', () => {
    expect(() => new CircuitBreaker('x', { failure_threshold: 5 } as object)).toThrow(
      'Unknown option "failure_threshold" in circuitBreaker. Did you mean "failureThreshold"?',
    );
    expect(() => new CircuitBreaker('x', { recovery_timeout: 5 } as object)).toThrow(
      'Did you mean "recoveryTimeoutMs"?',
    );
    expect(() => new CircuitBreaker('x', { failureThreshold: 0 })).toThrow(/from 1 to 10000/);
    expect(() => new CircuitBreaker('x', { windowMs: 0 })).toThrow(/above 0/);
    expect(() => new CircuitBreaker('')).toThrow(/1 to 200 characters/);
  });
});

describe('listeners', () => {
  test('are told of each change once, in order, until they leave', () => {
    const { breaker, pass } = withClock();
    const changes: string[] = [];
    const leave = breaker.onStateChange(({ name, from, to }) => {
      changes.push(`${name}: ${from} > ${to}`);
      // What it reads is what it was told.
      expect(breaker.state).toBe(to);
    });
    open(breaker);
    pass(30_000);
    for (let call = 0; call < 3; call++) breaker.allowRequest();
    for (let call = 0; call < 3; call++) breaker.recordSuccess();
    expect(changes).toEqual([
      'test: closed > open',
      'test: open > halfOpen',
      'test: halfOpen > closed',
    ]);
    leave();
    open(breaker);
    expect(changes).toHaveLength(3);
  });

  test('one that throws harms nothing and is warned about', async () => {
    const { breaker } = withClock();
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    breaker.onStateChange(() => {
      throw new Error('bad listener');
    });
    open(breaker);
    expect(breaker.state).toBe('open');
    expect(await warned).toMatchObject({ code: 'DAL_LISTENER_FAILED' });
  });

  test('there are at most 100', () => {
    const { breaker } = withClock();
    for (let count = 0; count < 100; count++) breaker.onStateChange(() => undefined);
    expect(() => breaker.onStateChange(() => undefined)).toThrow(/100 listeners/);
  });
});
