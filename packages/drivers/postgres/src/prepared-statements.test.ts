import { expect, test } from 'vitest';
import { PreparedStatements } from './prepared-statements.ts';

test('the least used name is closed beyond the limit', () => {
  const statements = new PreparedStatements(2);
  for (const name of ['a', 'b']) statements.take(name, name)!.state = 'ready';
  statements.take('a', 'a');
  expect(statements.takeClosing()).toBeUndefined();
  statements.take('c', 'c');
  expect(statements.takeClosing()).toEqual(['b']);
  expect(statements.takeClosing()).toBeUndefined();
  expect(statements.take('a', 'a')?.state).toBe('ready');
});

test('a name that was never sent needs no closing', () => {
  const statements = new PreparedStatements(1);
  statements.take('a', 'a');
  statements.take('b', 'b');
  expect(statements.takeClosing()).toBeUndefined();
});

test('a name with another text is prepared again', () => {
  const statements = new PreparedStatements(2);
  statements.take('a', 'one')!.state = 'ready';
  expect(statements.take('a', 'two')).toMatchObject({ text: 'two', state: 'doubtful' });
});

test('a limit of 0 switches names off', () => {
  expect(new PreparedStatements(0).take('a', 'a')).toBeUndefined();
});
