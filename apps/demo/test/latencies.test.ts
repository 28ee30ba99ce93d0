import { expect, test } from 'vitest';
import { Latencies } from '../src/latencies.ts';

test('percentiles come back in milliseconds, within a thousandth', () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 1_000; ms++) latencies.record(ms);
  expect(latencies.count).toBe(1_000);
  expect(latencies.percentile(50)).toBeCloseTo(500, -0.5);
  expect(latencies.percentile(99)).toBeGreaterThan(985);
  expect(latencies.percentile(99)).toBeLessThan(995);
});

test('nothing recorded is zero, and less than a microsecond counts too', () => {
  const latencies = new Latencies();
  expect(latencies.percentile(99)).toBe(0);
  latencies.record(0);
  expect(latencies.count).toBe(1);
});
