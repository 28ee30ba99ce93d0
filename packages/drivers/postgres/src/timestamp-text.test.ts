import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeValues } from './postgres-types.ts';
import { timestampText } from './timestamp-text.ts';

test('the same text as in a statement, for every moment of four-digit years', () => {
  const four = { min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z') };
  fc.assert(
    fc.property(fc.date({ ...four, noInvalidDate: true }), (date) => {
      expect(timestampText(date.getTime())).toBe(encodeValues([date])[0]);
    }),
    { numRuns: 2_000 },
  );
  for (const edge of [four.min, four.max, new Date(0), new Date(-1)]) {
    expect(timestampText(edge.getTime())).toBe(encodeValues([edge])[0]);
  }
});

test('other years, and no date at all, are left to the long way', () => {
  for (const moment of [
    Date.parse('0001-01-01T00:00:00Z') - 1,
    Date.parse('+010000-01-01T00:00:00Z'),
    Number.NaN,
  ]) {
    expect(timestampText(moment)).toBeUndefined();
  }
});
