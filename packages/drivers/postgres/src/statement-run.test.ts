import { expect, test } from 'vitest';
import { readTag } from './statement-run.ts';

test.for([
  ['INSERT 0 5', 'INSERT', 5],
  ['UPDATE 3', 'UPDATE', 3],
  ['DELETE 0', 'DELETE', 0],
  ['MERGE 2', 'MERGE', 2],
  ['SELECT 10', 'SELECT', 0],
  ['FETCH 1', 'FETCH', 0],
  ['CREATE TABLE', 'CREATE TABLE', 0],
  ['COMMIT', 'COMMIT', 0],
  ['', '', 0],
] as const)('the tag "%s"', ([tag, command, affectedRows]) => {
  expect(readTag(tag)).toEqual({ command, affectedRows });
});
