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

test('a long text is not prepared', () => {
  const statements = new PreparedStatements();
  expect(statements.take('a', 'x'.repeat(15_361))).toBeUndefined();
  expect(statements.stats()).toMatchObject({ size: 0, capacity: 100 });
});

test('a limit of 0 switches names off', () => {
  const statements = new PreparedStatements(0);
  expect(statements.take('a', 'a')).toBeUndefined();
  expect(statements.stats()).toEqual({ size: 0, capacity: 0, hits: 0, misses: 0, evictions: 0 });
});

test('a companion never pushes out the statement that it travels with', () => {
  const statements = new PreparedStatements(1);
  statements.take('a', 'a')!.state = 'ready';
  expect(statements.takeBeside('b', 'b')).toBeUndefined();
  expect(statements.takeClosing()).toBeUndefined();
});
