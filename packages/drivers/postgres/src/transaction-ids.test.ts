import { expect, test } from 'vitest';
import {
  isPostgres,
  isSameServer,
  outcomeOf,
  readTransactionId,
  transactionId,
} from './transaction-ids.ts';

const SINCE = '20260131123000123456';
const parts = ['754', '0000000A', '7412345678901234567', SINCE];
const ID = `7412345678901234567/0000000A/${SINCE}/754`;

test('an id is read as it was written', () => {
  expect(transactionId(parts, parts)).toBe(ID);
  expect(readTransactionId(ID)).toEqual({
    cluster: '7412345678901234567',
    timeline: '0000000A',
    since: SINCE,
    number: '754',
  });
});

test.for([0, 1, 2, 3])('without part %i there is none', (missing) => {
  const less = parts.map((part, index) => (index === missing ? null : part));
  expect(transactionId(less, less)).toBeUndefined();
});

test.for(['', 'x', '754', ID.replace('0A', '0a'), `${ID}/`, ` ${ID}`, ID.replace('754', '1;')])(
  'no id: "%s"',
  (text) => {
    expect(readTransactionId(text)).toBeUndefined();
  },
);

test.for([
  ['committed', 'committed', 'unknown'],
  ['aborted', 'rolledBack', 'rolledBack'],
  ['in progress', 'running', 'unknown'],
  [null, 'unknown', 'unknown'],
  [undefined, 'rolledBack', 'rolledBack'],
  ['some other word', 'unknown', 'unknown'],
] as const)('"%s" is %s, and %s when the server has crashed since', ([status, same, crashed]) => {
  const name = readTransactionId(ID)!;
  expect(outcomeOf(name, parts, status)).toBe(same);
  expect(outcomeOf(name, parts.with(3, '20260131130000000000'), status)).toBe(crashed);
  expect(outcomeOf(name, parts.with(3, null as never), status)).toBe(crashed);
});

test('another timeline or cluster knows nothing of it', () => {
  const name = readTransactionId(ID)!;
  expect(isSameServer(name, parts)).toBe(true);
  expect(isSameServer(name, parts.with(1, '0000000B'))).toBe(false);
  expect(isSameServer(name, parts.with(2, '1'))).toBe(false);
  // A standby names no timeline.
  expect(isSameServer(name, parts.with(1, null as never))).toBe(false);
});

test.for([
  ['PostgreSQL 18.4 (Debian 18.4-1) on x86_64-pc-linux-gnu', true],
  ['PostgreSQL 15.2-YB-2.25.0.0-b0 on x86_64-pc-linux-gnu', false],
  ['CockroachDB CCL v25.1.0', false],
  [null, false],
] as const)('"%s" names its transactions: %s', ([version, does]) => {
  expect(isPostgres(version)).toBe(does);
});
