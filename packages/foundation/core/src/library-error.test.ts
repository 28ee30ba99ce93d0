import { expect, test } from 'vitest';
import { QueryError } from './errors.ts';
import { dalErrorOf, libraryError } from './library-error.ts';

const refused = Object.assign(new Error('duplicate key'), { code: '23505' });

test("the server's judgement comes as the library's own error, and leads back", () => {
  const error = new QueryError('A row exists already', {
    cause: refused,
    fault: { kind: 'unique' },
  });
  expect(libraryError(error)).toBe(refused);
  expect(dalErrorOf(refused)).toBe(error);
  expect(Object.keys(refused)).toEqual(['code']);
});

test.each([
  ['a timeout', new QueryError('stopped', { fault: { kind: 'statementTimeout' } })],
  [
    'a lost connection',
    new QueryError('lost', { cause: refused, fault: { kind: 'connection', connectionLost: true } }),
  ],
  ['a stranger', new TypeError('not ours')],
])("%s stays what it is: it is not the server's word", (_, error) => {
  expect(libraryError(error)).toBe(error);
});

test('what never came from the layer has no error of the layer behind it', () => {
  expect(dalErrorOf(new TypeError('not ours'))).toBeUndefined();
  expect(dalErrorOf(undefined)).toBeUndefined();
});
