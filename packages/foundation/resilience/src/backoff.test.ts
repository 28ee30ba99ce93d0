import { expect, test } from 'vitest';
import { backoff } from './backoff.ts';

test('waits grow, are spread over their whole range, and stay under the limit', () => {
  const limits = [100, 200, 400, 800, 1_000, 1_000];
  const longest = limits.map(() => 0);
  for (let round = 0; round < 300; round++) {
    const next = backoff({ baseDelayMs: 100, maxDelayMs: 1_000 });
    for (const [step, limit] of limits.entries()) {
      const delay = next();
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(limit);
      longest[step] = Math.max(longest[step] ?? 0, delay);
    }
  }
  // With 300 draws the longest is near the limit; a fixed or half-range jitter would not be.
  for (const [step, limit] of limits.entries()) expect(longest[step]).toBeGreaterThan(limit * 0.9);
});
