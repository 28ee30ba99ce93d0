import type { Fault } from '@dal/core';
import { expect, test } from 'vitest';
import { retryVerdict, transactionVerdict } from './retry-verdict.ts';

const alone = { autocommit: true, idempotent: false };
const twice = { autocommit: true, idempotent: true };
const inside = { autocommit: false, idempotent: true };

const table: [name: string, fault: Fault, alone: boolean, twice: boolean, transaction: boolean][] =
  [
    ['never sent', { kind: 'connection', applied: 'no' }, true, true, true],
    [
      'cut after sending',
      { kind: 'connection', connectionLost: true, applied: 'unknown' },
      false,
      true,
      false,
    ],
    ['cut, and nothing known', { kind: 'connection', connectionLost: true }, false, true, false],
    ['server starting', { kind: 'notReady', applied: 'no' }, true, true, true],
    ['server full', { kind: 'overloaded', applied: 'no' }, true, true, true],
    ['deadlock', { kind: 'deadlock', applied: 'no' }, true, true, true],
    ['serialization', { kind: 'serialization' }, true, true, true],
    ['stale plan', { kind: 'stalePlan', applied: 'no' }, true, true, true],
    [
      'killed by an administrator',
      { kind: 'shutdown', connectionLost: true, applied: 'unknown' },
      false,
      true,
      false,
    ],
    ['unique', { kind: 'unique', applied: 'no' }, false, false, false],
    ['syntax', { kind: 'syntax', applied: 'no' }, false, false, false],
    ['wrong password', { kind: 'authentication', applied: 'no' }, false, false, false],
    ['timed out', { kind: 'statementTimeout', applied: 'no' }, false, false, false],
    ['cancelled', { kind: 'cancelled', applied: 'no' }, false, false, false],
    ['lock timeout', { kind: 'lockTimeout', applied: 'no' }, false, false, false],
    ['read only', { kind: 'readOnly', applied: 'no' }, false, false, false],
    ['unknown', { kind: 'unknown', applied: 'unknown' }, false, false, false],
  ];

test.each(table)('%s', (_, fault, whenAlone, whenIdempotent, wholeTransaction) => {
  expect(retryVerdict(fault, alone)).toBe(whenAlone);
  expect(retryVerdict(fault, twice)).toBe(whenIdempotent);
  expect(transactionVerdict(fault)).toBe(wholeTransaction);
  // A statement inside a transaction is never repeated by itself.
  expect(retryVerdict(fault, inside)).toBe(false);
});

test('a write that a standby refused runs again only where there may be another server', () => {
  const refused: Fault = { kind: 'readOnly', applied: 'no' };
  const facts = { autocommit: true, idempotent: false };
  expect(retryVerdict(refused, facts)).toBe(false);
  expect(retryVerdict(refused, { ...facts, seeksPrimary: true })).toBe(true);
  expect(retryVerdict(refused, { ...facts, autocommit: false, seeksPrimary: true })).toBe(false);
  expect(transactionVerdict(refused)).toBe(false);
  expect(transactionVerdict(refused, true)).toBe(true);
  // An expelled member of a group can't say what became of a commit.
  const unsure: Fault = { kind: 'readOnly', applied: 'unknown' };
  expect(retryVerdict(unsure, { ...facts, seeksPrimary: true })).toBe(false);
  expect(transactionVerdict(unsure, true)).toBe(false);
});
