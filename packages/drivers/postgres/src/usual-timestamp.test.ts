import { timestampFromText } from '@dal/core';
import { expect, test } from 'vitest';
import { usualTimestamp } from './usual-timestamp.ts';

test.for([
  '2026-01-31 12:30:00',
  '2026-01-31 12:30:00+00',
  '2026-01-31 12:30:00.1+00',
  '2026-01-31 12:30:00.123456',
  '2026-01-31 12:30:00.999999999+00',
  '0100-03-01 00:00:00',
  '9999-12-31 23:59:59.999+00',
  '2024-02-29 24:00:00',
])('%s is read the short way, and means the same', (text) => {
  expect(usualTimestamp(text)).toEqual(timestampFromText(text));
});

test.for([
  '2026-01-31',
  '2026-01-31 12:30',
  '2026-01-31T12:30:00Z',
  '2026-01-31 12:30:00+01',
  '2026-01-31 12:30:00-00',
  '2026-01-31 12:30:00+00:00',
  '2026-01-31 12:30:00.+00',
  '2026-01-31 12:30:00.1234567890',
  '2026-01-31 12:30:00 BC',
  '2026-01-31 12:30:00+00 BC',
  '0044-03-15 04:05:06',
  '12026-01-31 12:30:00',
  '2026-00-31 12:30:00',
  '2026-01-00 12:30:00',
  '2O26-01-31 12:30:00',
  '2026-01-31 1x:30:00',
  'infinity',
  '',
])('%s is left to the long way', (text) => {
  expect(usualTimestamp(text)).toBeUndefined();
});

test('any moment is read as the long way reads it', () => {
  for (let round = 0; round < 5_000; round++) {
    const moment = new Date(-59_000_000_000_000 + round * 62_135_596_801);
    const text = moment
      .toISOString()
      .replace('T', ' ')
      .replace('Z', round % 2 ? '' : '+00');
    expect(usualTimestamp(text) ?? moment).toEqual(timestampFromText(text));
  }
});
