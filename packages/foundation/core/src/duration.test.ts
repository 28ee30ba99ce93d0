import { expect, test } from 'vitest';
import { durationMs } from './duration.ts';

test.each([
  [500, 500],
  [0, 0],
  ['250', 250],
  ['10s', 10_000],
  ['2 min', 120_000],
  ['1.5h', 5_400_000],
  ['1D', 86_400_000],
])('%s is %d ms', (given, ms) => {
  expect(durationMs(given, 'timeoutMs')).toBe(ms);
});

test.each([-1, Number.NaN, Infinity, '', 'soon', '10 parsecs', '-5s', 2 ** 31])(
  '%s is refused by the name of its option',
  (given) => {
    expect(() => durationMs(given, 'pool.idleTimeoutMs')).toThrow(/pool\.idleTimeoutMs/);
  },
);
