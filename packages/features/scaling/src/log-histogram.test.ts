import { expect, test } from 'vitest';
import { LogHistogram } from './log-histogram.ts';

test('an answer is at most 3.2 % off, from microseconds to an hour', () => {
  for (let ms = 0.001; ms < 4_000_000; ms *= 1.37) {
    const times = new LogHistogram();
    times.record(ms);
    const us = Math.round(ms * 1_000);
    const answer = (times.quantileMs(0.5) as number) * 1_000;
    expect(answer).toBeGreaterThanOrEqual(us);
    expect(answer).toBeLessThanOrEqual(us * 1.032 + 1e-6);
  }
});

test('quantiles count from the smallest', () => {
  const times = new LogHistogram();
  for (let ms = 1; ms <= 1_000; ms++) times.record(ms);
  for (const share of [0.01, 0.5, 0.95, 0.99, 1]) {
    const answer = times.quantileMs(share) as number;
    expect(answer / (share * 1_000)).toBeGreaterThanOrEqual(1 - 1e-9);
    expect(answer / (share * 1_000)).toBeLessThanOrEqual(1.032);
  }
  expect(new LogHistogram().quantileMs(0.5)).toBeUndefined();
});

test('sums of two, and times of no sense', () => {
  const [one, other] = [new LogHistogram(3), new LogHistogram(3)];
  for (const ms of [0, -1, Number.NaN]) one.record(ms);
  for (const ms of [1e12, 1e12, 1e12, 1e12]) other.record(ms);
  one.add(other);
  expect(one.count).toBe(7);
  expect(one.quantileMs(0.4)).toBe(0);
  expect(one.quantileMs(0.5)).toBeGreaterThan(4_000_000);
});
