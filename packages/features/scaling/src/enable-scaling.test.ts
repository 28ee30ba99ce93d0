import { channels } from '@dal/core';
import { expect, test } from 'vitest';
import { digests, enableScaling } from './enable-scaling.ts';
import { queryLog } from './query-log.ts';

test('who enables it second joins in; the last one to leave ends it, and nothing is left', () => {
  const first = enableScaling({ instances: 3 });
  const second = enableScaling();
  using third = enableScaling({ instances: 3 });
  expect(() => enableScaling({ instances: 4 })).toThrow('with other options');
  first.disable();
  first.disable();
  second.disable();
  expect(digests()).toEqual([]);
  expect(channels.attempt.hasSubscribers).toBe(true);
  third.disable();
  expect(() => digests()).toThrow('call enableScaling() once');
  for (const { hasSubscribers } of Object.values(channels)) expect(hasSubscribers).toBe(false);
});

test('wrong options are named', () => {
  expect(() => enableScaling({ instance: 2 } as never)).toThrow('Did you mean "instances"?');
  expect(() => enableScaling({ slotMs: 1 })).toThrow('enableScaling.slotMs must be from 10 ms');
  expect(() => enableScaling({ slotMs: 'soon' })).toThrow('must be a length of time');
  expect(() => enableScaling(5 as never)).toThrow('an object of options');
  expect(() => queryLog(console, { minMs: -1 })).toThrow('queryLog.minMs must be a length of time');
});

test('a logger has what is asked of it', () => {
  expect(() => queryLog({})).toThrow('an object with the method debug()');
  expect(() => queryLog({}, { level: 'off', errorLevel: 'off' })).toThrow('warn()');
  expect(() => queryLog(console, { level: 'loud' as never })).toThrow('must be one of');
  queryLog({}, { level: 'off', slowLevel: 'off', errorLevel: 'off' })[Symbol.dispose]();
  using _ = queryLog();
  expect(channels.query.hasSubscribers).toBe(true);
});
