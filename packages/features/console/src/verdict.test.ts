import { expect, test } from 'vitest';
import type { PoolCard } from './snapshot.ts';
import { type Judged, verdictOf } from './verdict.ts';

function judged(name: string, advice: Partial<Judged['advice']> = {}, waiting = 0): Judged {
  const card = { name, lent: 2, max: 10, waiting } as PoolCard;
  const none = { level: 'normal', action: 'none', reason: '', sentence: '', evidence: [] } as const;
  return { card, advice: { ...none, ...advice } };
}

test('says how well all are', () => {
  expect(verdictOf([]).sentence).toMatch(/^No pool is open yet/);
  expect(verdictOf([judged('a')]).sentence).toBe(
    'The pool is well: 2 of 10 connections are in use, and nobody waits.',
  );
  expect(verdictOf([judged('a'), judged('b', {}, 1)]).sentence).toBe(
    'All 2 pools are well: 4 of 20 connections are in use, and 1 waits.',
  );
});

test('names the worst pool, and counts the others', () => {
  const leak = judged('leaky', {
    action: 'release_connections_sooner',
    reason: '1 connection is lent for long',
    sentence: 'Give it back.',
  });
  const full = judged('full', {
    level: 'critical',
    action: 'scale_horizontally',
    reason: '8 % of the callers found no connection',
  });
  expect(verdictOf([judged('a'), leak])).toMatchObject({
    level: 'normal',
    action: 'release_connections_sooner',
    sentence: 'leaky: 1 connection is lent for long.',
    advice: 'Give it back.',
  });
  expect(verdictOf([leak, full, judged('a')])).toMatchObject({
    level: 'critical',
    sentence: 'full: 8 % of the callers found no connection. 1 more pool needs attention.',
  });
});

test('speaks of the server when all pools are well, and only then', () => {
  expect(verdictOf([judged('a')], 'The server is idle.').sentence).toBe('The server is idle.');
  const away = judged('a', { action: 'database_unreachable', reason: 'it is away' });
  expect(verdictOf([away], 'The server is idle.').sentence).toBe('a: it is away.');
});
