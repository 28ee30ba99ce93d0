import { expect, test } from 'vitest';
import { readPoolOptions } from './pool-options.ts';
import { suggestPoolSize } from './suggest-pool-size.ts';

test('every option has a default', () => {
  expect(readPoolOptions({})).toEqual({
    profile: undefined,
    min: 0,
    max: 10,
    overflow: 0,
    acquireTimeoutMs: 10_000,
    idleTimeoutMs: 300_000,
    maxLifetimeMs: 1_800_000,
    validate: { afterIdleMs: 1_000 },
    healthCheckIntervalMs: 30_000,
    maxWaiting: 1_000,
    leakThresholdMs: 300_000,
    acquireStacks: 'sampled',
    failFast: false,
    autoScale: undefined,
  });
});

test.each([
  ['web', { min: 20, max: 100, acquireTimeoutMs: 5_000, autoScale: { up: 0.8, down: 0.3 } }],
  ['worker', { min: 2, max: 10, acquireTimeoutMs: 60_000, autoScale: undefined }],
  ['pipeline', { min: 5, max: 20, maxLifetimeMs: 1_800_000, idleTimeoutMs: 600_000 }],
  ['serverless', { min: 0, max: 2, idleTimeoutMs: 10_000 }],
])('the profile %s', (profile, expected) => {
  expect(readPoolOptions({ profile })).toMatchObject(expected);
});

test('max is suggested when it is "auto", and never below min', () => {
  const { max } = suggestPoolSize();
  expect(readPoolOptions({ max: 'auto' })).toMatchObject({ min: 0, max });
  expect(readPoolOptions({ max: 'auto', min: max + 3 })).toMatchObject({ max: max + 3 });
  expect(readPoolOptions({ max: 'auto', profile: 'web' })).toMatchObject({
    min: Math.min(20, max),
    max,
  });
  expect(() => readPoolOptions({ max: 'many' })).toThrow(/pool\.max.*whole number or "auto"/);
  expect(() => readPoolOptions({ max: 0 })).toThrow(/pool\.max.*from 1 to/);
});

test('options beside a profile win, and its min gives way to a smaller max', () => {
  expect(readPoolOptions({ profile: 'web', max: 8 })).toMatchObject({ min: 8, max: 8 });
  expect(readPoolOptions({ profile: 'web', min: 1, acquireTimeoutMs: '1s' })).toMatchObject({
    min: 1,
    max: 100,
    acquireTimeoutMs: 1_000,
  });
  expect(() => readPoolOptions({ profile: 'worker', min: 11 })).toThrow(/pool\.min.*from 0 to 10/);
});

test('which connections are asked for a sign of life', () => {
  expect(readPoolOptions({ validate: 'always' }).validate).toEqual({ afterIdleMs: 0 });
  expect(readPoolOptions({ validate: 'never' }).validate).toEqual({ afterIdleMs: Infinity });
  expect(readPoolOptions({ validate: { afterIdleMs: '2s' } }).validate).toEqual({
    afterIdleMs: 2_000,
  });
  expect(() => readPoolOptions({ validate: 'sometimes' })).toThrow(/pool\.validate.*"always"/);
  expect(() => readPoolOptions({ validate: { afterIdle: 1 } })).toThrow(/"afterIdleMs"/);
});

test('auto-scale by yes, no, or shares that make sense', () => {
  expect(readPoolOptions({ autoScale: true }).autoScale).toEqual({ up: 0.8, down: 0.3 });
  expect(readPoolOptions({ autoScale: { up: 0.9 } }).autoScale).toEqual({ up: 0.9, down: 0.3 });
  expect(readPoolOptions({ autoScale: false }).autoScale).toBeUndefined();
  expect(() => readPoolOptions({ autoScale: { up: 0.2 } })).toThrow(/autoScale\.down/);
  expect(() => readPoolOptions({ autoScale: { up: 80 } })).toThrow(/autoScale\.up.*share/);
});

test.each([
  ['pool_size', 'max'],
  ['max_size', 'max'],
  ['min_size', 'min'],
  ['max_overflow', 'overflow'],
  ['pool_timeout', 'acquireTimeoutMs'],
  ['acquire_timeout', 'acquireTimeoutMs'],
  ['idle_timeout', 'idleTimeoutMs'],
  ['max_lifetime', 'maxLifetimeMs'],
  ['pool_recycle', 'maxLifetimeMs'],
  ['pool_pre_ping', 'validate'],
  ['pre_ping', 'validate'],
  ['test_on_borrow', 'validate'],
  ['auto_scale', 'autoScale'],
  ['health_check_interval', 'healthCheckIntervalMs'],
  ['leak_timeout', 'leakThresholdMs'],
  ['track_stack_trace', 'acquireStacks'],
  ['overfow', 'overflow'],
])('"%s" is refused, and "%s" suggested', (name, meant) => {
  expect(() => readPoolOptions({ [name]: 5 })).toThrow(`Did you mean "${meant}"?`);
});
