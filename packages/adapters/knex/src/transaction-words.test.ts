import { expect, test } from 'vitest';
import { transactionWord } from './transaction-words.ts';

// As Knex 3 writes them.
test.each([
  ['BEGIN;', { kind: 'begin', options: {} }],
  [
    'BEGIN TRANSACTION ISOLATION LEVEL repeatable read READ ONLY;',
    { kind: 'begin', options: { isolation: 'repeatableRead', readOnly: true } },
  ],
  ['BEGIN TRANSACTION READ ONLY;', { kind: 'begin', options: { readOnly: true } }],
  [
    'SET TRANSACTION ISOLATION LEVEL serializable;',
    { kind: 'next', options: { isolation: 'serializable' } },
  ],
  ['SET TRANSACTION READ ONLY;', { kind: 'next', options: { readOnly: true } }],
  ['COMMIT;', { kind: 'commit' }],
  ['ROLLBACK', { kind: 'rollback' }],
])('%s', (sql, word) => {
  expect(transactionWord(sql)).toEqual(word);
});

test.each([
  'SAVEPOINT trx2;',
  'RELEASE SAVEPOINT trx2;',
  'ROLLBACK TO SAVEPOINT trx2',
  'COMMIT AND CHAIN;',
  'select 1',
])('%s is sent as it is', (sql) => {
  expect(transactionWord(sql)).toBeUndefined();
});
