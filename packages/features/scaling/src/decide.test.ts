import type { ScalingAction, ScalingLevel } from '@dal/core';
import { expect, test } from 'vitest';
import { decide, evidenceOf } from './decide.ts';
import type { Facts } from './facts.ts';

/** A pool that is asked for too much, for no reason that could be seen. */
const plain: Facts = {
  pool: 'orders',
  windowMs: 300_000,
  acquired: 960,
  failed: 40,
  ratio: 0.04,
  failedLately: 10,
  isSettled: true,
  utilisation: 0.95,
  waitP95Ms: 80,
  useMeanMs: 50,
  busyShare: 0.9,
  required: 9,
  limit: 10,
  eventLoop: 0.3,
  busiest: { id: '0123456789abcdef', text: 'SELECT a FROM t', share: 0.29 },
  unreachable: undefined,
  isFull: false,
  headroom: { left: 50, limit: 100 },
  leaks: 0,
  attemptP95Ms: 10,
  baselineP95Ms: 10,
  instances: 1,
};

/** Each cause, from the last row of the table to the first. */
const causes: readonly [Partial<Facts>, ScalingAction, only?: 'pressure'][] = [
  [{ required: 14 }, 'raise_pool_limit', 'pressure'],
  [{ headroom: { left: 9, limit: 100 } }, 'use_pooler_or_bigger_database'],
  [{ eventLoop: 0.9 }, 'scale_out_app'],
  [{ busiest: { id: 'x', text: 'SELECT b', share: 0.3 } }, 'review_slow_queries', 'pressure'],
  [{ busyShare: 0.49 }, 'release_connections_sooner'],
  [{ leaks: 1, utilisation: 0.1 }, 'release_connections_sooner'],
  [{ unreachable: 'connecting fails (connection)' }, 'database_unreachable'],
];

test.each(causes)('%o: %s', (cause, action, only) => {
  expect(decide({ ...plain, ...cause }, 'high').action).toBe(action);
  expect(decide({ ...plain, ...cause }, 'normal').action).toBe(only ? 'none' : action);
});

test('a cause stands above all that come after it', () => {
  let facts = plain;
  for (const [cause, action] of causes) {
    facts = { ...facts, ...cause };
    expect(decide(facts, 'critical').action).toBe(action);
  }
});

test.each<[ScalingLevel, ScalingAction]>([
  ['normal', 'none'],
  ['mild', 'review_slow_queries'],
  ['high', 'scale_vertically'],
  ['critical', 'scale_horizontally'],
])('without a cause, %s: %s', (level, action) => {
  expect(decide(plain, level).action).toBe(action);
});

test('a higher limit only helps where the server has places and statements are as fast as before', () => {
  const short = { ...plain, required: 14 };
  const after = (more: Partial<Facts>) => decide({ ...short, ...more }, 'high');
  expect(after({ attemptP95Ms: 15 }).action).toBe('raise_pool_limit');
  expect(after({ attemptP95Ms: 15.1 }).action).toBe('scale_vertically');
  expect(after({ baselineP95Ms: undefined, attemptP95Ms: 1_000 }).action).toBe('raise_pool_limit');
  expect(after({ instances: 12 }).action).toBe('raise_pool_limit');
  // 13 processes need 4 places more each, and there are 50.
  expect(after({ instances: 13 }).action).toBe('scale_vertically');
  const unknown = after({ headroom: undefined, instances: 13 });
  expect(unknown.action).toBe('raise_pool_limit');
  expect(unknown.remedy).toContain('is not known: it must have 52');
});

test('the first seconds of a program are like no others', () => {
  const first = { ...plain, isSettled: false, eventLoop: 1 };
  expect(decide(first, 'normal').action).toBe('none');
  expect(decide({ ...first, busyShare: 0 }, 'normal').action).toBe('none');
  expect(decide(first, 'critical').action).toBe('scale_out_app');
});

test('evidence is in words, and only of what is known', () => {
  expect(evidenceOf(plain)).toEqual([
    '40 of 1000 callers (4.0 %) found no connection in 5 min',
    '95 % of 10 connections were lent',
    'a statement ran in 90 % of that time',
    '95 % waited 80 ms or less',
    'a loan lasted 50 ms on average',
    'the load needs 9 connections, and there may be 10',
    "29 % of the database's time: SELECT a FROM t",
    '95 % of statements took 10 ms or less; before, 10 ms',
    'the event loop was busy for 30 % of the time',
    'the server has 50 of 100 places left',
  ]);
  const bare = { ...plain, waitP95Ms: undefined, useMeanMs: undefined, busyShare: undefined };
  const none = { required: undefined, busiest: undefined, headroom: undefined };
  expect(evidenceOf({ ...bare, ...none, attemptP95Ms: undefined })).toHaveLength(3);
});
