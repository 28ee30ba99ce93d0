import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FailureWindow } from './failure-window.ts';

test('the window is full exactly when so many failures are younger than its length', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60, size: 'max' }),
      (limit, windowMs, pauses) => {
        const window = new FailureWindow(limit, windowMs);
        const times: number[] = [];
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          times.push(now);
          const recent = times.filter((time) => now - time < windowMs).length;
          expect(window.add(now)).toBe(recent >= limit);
        }
      },
    ),
  );
});

test('a cleared window starts anew', () => {
  const window = new FailureWindow(2, 100);
  window.add(0);
  window.clear();
  expect(window.add(1)).toBe(false);
  expect(window.add(2)).toBe(true);
});
