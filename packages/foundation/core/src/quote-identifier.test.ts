import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { quoteIdentifier } from './quote-identifier.ts';

const double = { quote: ['"', '"'] } as const;
const backtick = { quote: ['`', '`'] } as const;
const bracket = { quote: ['[', ']'] } as const;

test.each([
  ['users', double, '"users"'],
  ['a"b', double, '"a""b"'],
  ['"', double, '""""'],
  ['a`b"', backtick, '`a``b"`'],
  ['a]b[', bracket, '[a]]b[]'],
  ['$& $1', double, '"$& $1"'],
  ['naïve 😀', double, '"naïve 😀"'],
] as const)('%j is quoted', (name, dialect, expected) => {
  expect(quoteIdentifier(name, dialect)).toBe(expected);
});

test('no name gets out of its quotes', () => {
  const names = fc.string({ unit: fc.constantFrom('"', '`', ']', '\\', ' ', 'a'), minLength: 1 });
  const property = fc.property(names, (name) => {
    const quoted = quoteIdentifier(name, double);
    expect(quoted.slice(1, -1).replaceAll('""', '')).not.toContain('"');
    expect(quoted.slice(1, -1).replaceAll('""', '"')).toBe(name);
  });
  fc.assert(property, { numRuns: 2_000 });
});

test.each([
  ['', /is empty/],
  ['a\0b', /NUL/],
  ['x'.repeat(256), /256 characters/],
  [undefined, /must be a string, not undefined/],
  [['x'], /must be a string, not object/],
])('%j is refused', (name, reason) => {
  const act = () => quoteIdentifier(name as string, double);
  expect(act).toThrow(ConfigError);
  expect(act).toThrow(reason);
});
