import type { AttemptMessage, ObservedDatabase } from '@dal/core';
import { expect, test } from 'vitest';
import { DigestTable } from './digest-table.ts';

function attempt(statement: string, database = 'one', durationMs = 1): AttemptMessage {
  const pool = { dialect: { name: 'fake', lexis: {} } } as ObservedDatabase['pool'];
  return {
    database: { name: database, configHash: '', pool },
    statement,
    parent: undefined,
    startedAt: 0,
    durationMs,
    result: { rowCount: 1, affectedRows: 0 },
  };
}

test('500 digests are kept apart, all others are (other); those that are known go on', () => {
  const table = new DigestTable();
  for (let number = 0; number < 2_000; number++) table.record(attempt(`SELECT a${number}`));
  table.record(attempt('SELECT a0'));
  table.record(attempt('SELECT a1999', 'two'));
  const all = table.top({ top: Infinity });
  expect(all).toHaveLength(502);
  expect(all.find(({ text }) => text === 'SELECT a0')?.count).toBe(2);
  const others = all.filter(({ id }) => id === '(other)');
  expect(others.map(({ database, count }) => [database, count])).toEqual([
    ['one', 1_500],
    ['two', 1],
  ]);
  expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(2_002);
});

test('the same text on two databases is counted on each', () => {
  const table = new DigestTable();
  table.record(attempt('SELECT 1', 'one', 5));
  table.record(attempt('SELECT 2', 'two', 7));
  expect(table.top().map(({ database, totalMs }) => [database, totalMs])).toEqual([
    ['two', 7],
    ['one', 5],
  ]);
  expect(table.top({ top: 1, database: 'one' })).toHaveLength(1);
  expect(() => table.top({ topp: 1 } as never)).toThrow('Did you mean "top"?');
});

test('quantiles are at most 3.2 % too long, and never longer than the longest', () => {
  const table = new DigestTable();
  for (let ms = 1; ms <= 1_000; ms++) table.record(attempt('SELECT 1', 'one', ms + 0.4));
  const [digest] = table.top();
  expect(digest?.p50Ms).toBeGreaterThanOrEqual(500);
  expect(digest?.p50Ms).toBeLessThan(501 * 1.032);
  expect(digest?.p99Ms).toBeLessThanOrEqual(1_000.4);
  expect(digest).toMatchObject({ count: 1_000, maxMs: 1_000.4 });
});
