import { TARGET_SERVERS } from '@dal/core';
import { expect, test } from 'vitest';
import { misfit, wantsPrimary } from './server-role.ts';

// As in the manual of libpq, `target_session_attrs`.
test.each([
  ['a primary', { writable: true, standby: false }, ['any', 'read-write', 'primary']],
  [
    'a primary that is read-only by default',
    { writable: false, standby: false },
    ['any', 'read-only', 'primary'],
  ],
  [
    'a standby',
    { writable: false, standby: true },
    ['any', 'read-only', 'standby', 'prefer-standby'],
  ],
] as const)('%s will do for some', (_, role, expected) => {
  expect(TARGET_SERVERS.filter((target) => misfit(target, role) === undefined)).toEqual(expected);
});

test('writes are wanted of one server at a time', () => {
  expect(TARGET_SERVERS.filter(wantsPrimary)).toEqual(['read-write', 'primary']);
});
