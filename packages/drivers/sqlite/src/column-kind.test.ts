import { expect, test } from 'vitest';
import { columnKind } from './column-kind.ts';

test.each([
  ['BOOLEAN', 'boolean'],
  ['bool', 'boolean'],
  ['DECIMAL(10, 2)', 'decimal'],
  ['NUMERIC', 'decimal'],
  ['decimal_text', 'decimal'],
  ['TIMESTAMP(6)', 'timestamp'],
  ['datetime', 'timestamp'],
  ['TIMESTAMP WITH TIME ZONE', 'timestamp'],
  ['timestamp(3) with time zone', 'timestamp'],
  ['JSON', 'json'],
  ['DATE', 'plain'],
  ['BIGINT', 'plain'],
  ['', 'plain'],
  ['constructor', 'plain'],
])('a column declared %j is read as %s', (declared, kind) => {
  expect(columnKind(declared)).toBe(kind);
});
