import { expect, test } from 'vitest';
import { auditOutage, type OutageResult } from '../src/audit-outage.ts';
import { judgeOutages } from '../src/outage-aims.ts';
import type { RequestReport } from '../src/outage-child.ts';
import type { Outage } from '../src/outage.ts';

const span = { beganAt: 1_000, endedAt: 2_000 };

function request(op: string, kind: RequestReport['kind'], told: RequestReport['told'], at = 1_500) {
  return { op, kind, told, beganAt: at, endedAt: at + 10 };
}

function audited(requests: RequestReport[], ...rows: [op: string, part: number][]): OutageResult {
  const heard = { contender: 'DAL', died: undefined, requests, attempts: [900, 1_100], hanging: 0 };
  return auditOutage(
    heard,
    rows.map(([op, part]) => ({ op, part })),
    span,
  );
}

test('what was told is compared with the rows that are there', () => {
  const seen = (...given: Parameters<typeof audited>): string => {
    const { wrong, failedYetDone } = audited(...given);
    return `${wrong} wrong, ${failedYetDone} failed, yet done`;
  };
  expect(seen([request('a', 'write', 'done')], ['a', 1])).toBe('0 wrong, 0 failed, yet done');
  expect(seen([request('a', 'write', 'done')])).toBe('1 wrong, 0 failed, yet done');
  expect(seen([request('a', 'write', 'done')], ['a', 1], ['a', 1])).toBe(
    '1 wrong, 0 failed, yet done',
  );
  expect(seen([request('a', 'transfer', 'unknown')], ['a', 1])).toBe('1 wrong, 0 failed, yet done');
  expect(seen([request('a', 'write', 'failed')], ['a', 1])).toBe('0 wrong, 1 failed, yet done');
  expect(seen([request('a', 'write', 'unknown')], ['a', 1])).toBe('0 wrong, 0 failed, yet done');
  expect(seen([request('a', 'read', 'wrong')])).toBe('1 wrong, 0 failed, yet done');
});

test('recovery is that of a request that was begun after the return; attempts are those before it', () => {
  const early = request('a', 'read', 'done', 1_995);
  const failed = request('b', 'read', 'failed', 2_001);
  expect(audited([early, failed])).not.toHaveProperty('recoveryMs');
  const [slow, quick] = [request('c', 'read', 'done', 2_400), request('d', 'read', 'done', 2_050)];
  expect(audited([early, failed, slow, quick])).toMatchObject({
    recoveryMs: 60,
    attemptsPerSecond: 1,
  });
});

test('each aim that is missed is named, and only those', () => {
  const good: OutageResult = {
    ...audited([request('a', 'read', 'done', 2_050)]),
    attemptsPerSecond: 15,
  };
  const outage = (result: OutageResult): Outage => ({
    engine: 'mysql',
    serverVersion: '9',
    fault: 'refused',
    lastedMs: 1_000,
    results: [result, { ...good, contender: 'mysql2', died: 'it did' }],
  });
  const missed = (change: Partial<OutageResult>): string[] =>
    judgeOutages([outage({ ...good, ...change })]).flatMap((aim) => [...aim.missed]);
  expect(missed({})).toEqual([]);
  expect(missed({ died: 'Error: out' })).toEqual(['mysql, refused: Error: out']);
  expect(missed({ hanging: 2 })).toEqual(['mysql, refused: 2 hang']);
  expect(missed({ wrong: 1 })).toEqual(['mysql, refused: 1 wrong, 0 failed, yet done']);
  expect(missed({ recoveryMs: 1_000 })).toEqual(['mysql, refused: 1000 ms']);
  expect(missed({ attemptsPerSecond: 16 })).toEqual(['mysql, refused: 16 in 1.0 s']);
});
