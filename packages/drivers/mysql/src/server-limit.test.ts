import { expect, test } from 'vitest';
import { limitText } from './server-limit.ts';

test('each server has its own words and unit', () => {
  expect(limitText('mysql', 1_500)).toMatch(
    /^SET SESSION max_execution_time = .*, 1500\) AS UNSIGNED\)$/,
  );
  expect(limitText('mariadb', 1_500)).toMatch(/^SET SESSION max_statement_time = .*, 1\.500\)$/);
});

test('a fraction is rounded up, since 0 would mean no limit', () => {
  expect(limitText('mysql', 0.2)).toMatch(/, 1\) AS UNSIGNED\)$/);
  expect(limitText('mariadb', 0.2)).toMatch(/, 0\.001\)$/);
});

test('0 and what is longer than the server can tell are what the server has by default', () => {
  expect(limitText('mysql', 0)).toBe('SET SESSION max_execution_time = DEFAULT');
  expect(limitText('mysql', 2 ** 33)).toBe('SET SESSION max_execution_time = DEFAULT');
  expect(limitText('mariadb', Infinity)).toBe('SET SESSION max_statement_time = DEFAULT');
});

test.each([-1, Number.NaN])('%s is refused', (ms) => {
  expect(() => limitText('mysql', ms)).toThrow(/number of milliseconds/);
});
