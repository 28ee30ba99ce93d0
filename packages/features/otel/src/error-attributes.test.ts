import { DalError } from '@dal/core';
import { expect, test } from 'vitest';
import { errorAttributes } from './error-attributes.ts';

function attributesOf(code: string, fault?: string): object {
  return errorAttributes(
    new DalError('words', { code, ...(fault ? { fault: { kind: 'unknown', code: fault } } : {}) }),
  );
}

test.each([
  ['DAL_UNIQUE', '23505'],
  ['DAL_USAGE', 'P0001'],
  ['DAL_DEADLOCK', '1213'],
  ['DAL_UNIQUE', 'SQLITE_CONSTRAINT_UNIQUE'],
])("%s with the server's %s", (code, fault) => {
  expect(attributesOf(code, fault)).toEqual({
    'error.type': fault,
    'db.response.status_code': fault,
  });
});

test.each([
  ['DAL_POOL_TIMEOUT', undefined, 'pool_timeout'],
  ['DAL_STATEMENT_TIMEOUT', undefined, 'timeout'],
  ['DAL_CONNECTION_LOST', undefined, 'connection_lost'],
  ['DAL_CIRCUIT_OPEN', undefined, 'circuit_open'],
  ['DAL_ABORTED', undefined, 'aborted'],
  ['DAL_CONNECTION', 'EPIPE', 'connection'],
  ['DAL_CONNECTION', 'ECONNRESET', 'connection'],
  ['Some words with value 42', undefined, '_OTHER'],
])('%s without a word of the server (%s)', (code, fault, type) => {
  expect(attributesOf(code, fault)).toEqual({ 'error.type': type });
});
