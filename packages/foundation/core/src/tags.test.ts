import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Tags, tagComment } from './tags.ts';

test('tags are sorted and encoded as sqlcommenter says', () => {
  expect(tagComment({ route: '/user list?x=1', action: "it's", retry: 2, cached: false })).toBe(
    ` /*action='it%27s',cached='false',retry='2',route='%2Fuser%20list%3Fx%3D1'*/`,
  );
});

test('the plain format reads easily', () => {
  expect(tagComment({ request_id: 'abc123', route: 'login' }, 'plain')).toBe(
    ' /* request_id=abc123, route=login */',
  );
});

test('nothing to say is nothing to add', () => {
  expect(tagComment(undefined)).toBe('');
  expect(tagComment({})).toBe('');
  expect(tagComment({ a: undefined, b: null, c: {}, '': 1 } as unknown as Tags)).toBe('');
});

test('no tag ends the comment, opens one or becomes code', () => {
  const hostile = ['*/ DROP TABLE t; --', '/*', "'", '!50000 DROP', '+', 'M!', '?', '$1', '\0\n'];
  for (const text of hostile) expect(tagComment({ [text]: text })).toSatisfy(isOneComment);
  const pieces = fc.constantFrom(
    '*',
    '/',
    "'",
    '!',
    '\\',
    '?',
    '\0',
    '\n',
    '%',
    '\ud83d',
    'é',
    'a',
  );
  const dictionaries = fc.dictionary(fc.string({ unit: pieces }), fc.string({ unit: pieces }));
  const property = fc.property(dictionaries, (tags) => {
    expect(tagComment(tags)).toSatisfy(isOneComment);
    expect(tagComment(tags, 'plain')).toSatisfy(isOneComment);
  });
  fc.assert(property, { numRuns: 5_000 });
});

test('a value can be read back', () => {
  const value = `a*/b'c"d%20!é😀\n`;
  const encoded = /^ \/\*k='(.*)'\*\/$/.exec(tagComment({ k: value }))?.[1] ?? '';
  expect(decodeURIComponent(encoded)).toBe(value);
});

test('tags of any size make a comment of a bounded size', () => {
  expect(tagComment({ a: 'x'.repeat(10_000_000) }).length).toBe(` /*a=''*/`.length + 1_024);
  // The cut falls into the middle of a character.
  expect(tagComment({ a: `x${'😀'.repeat(600)}` })).toContain('%EF%BF%BD');
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, 'v']));
  expect(tagComment(many).length).toBeLessThan(8_300);
});

test('names from Object.prototype are keys like others, and only own ones count', () => {
  const tags = JSON.parse('{"__proto__":"a","constructor":"b"}') as Tags;
  expect(tagComment(tags)).toBe(` /*__proto__='a',constructor='b'*/`);
  expect(tagComment(Object.create({ inherited: 'x' }) as Tags)).toBe('');
});

function isOneComment(comment: string): boolean {
  const inside = comment.slice(3, -2);
  const isWrapped = comment === ` /*${inside}*/`;
  return comment === '' || (isWrapped && !/[*/?$!\0\n]|^M!|^\+/.test(inside));
}
