import { describe, expect, test } from 'vitest';
import { decode, decodeSent, encode, kindOf } from './field-values.ts';
import type { FieldKind } from './field-kind.ts';

const place = { type: 'users', field: 'x' };

describe('kindOf', () => {
  test.each<[unknown, FieldKind]>([
    ['', 'text'],
    [1.5, 'number'],
    [1n, 'bigint'],
    [false, 'boolean'],
    [new Date(0), 'timestamp'],
    [Buffer.from('x'), 'bytes'],
    [[], 'json'],
    [{}, 'json'],
  ])('%o is %s', (value, kind) => {
    expect(kindOf(value, place)).toBe(kind);
  });

  test.each([() => 1, Symbol('s'), new Map(), new Set(), new Float32Array(1)])(
    'nothing holds %o',
    (value) => {
      expect(() => kindOf(value, place)).toThrow('The field "x" of "users" is a');
    },
  );
});

describe('encode', () => {
  test.each<[FieldKind, unknown, unknown]>([
    ['number', -0, 0],
    ['number', 12n, 12],
    ['bigint', 12, 12n],
    ['bigint', -(2n ** 63n), -(2n ** 63n)],
    ['json', { a: [1, '\u{1f44b}'] }, '{"a":[1,"\u{1f44b}"]}'],
    [
      'json',
      [1.234_567_890_123_456_7e20, 0.123_456_789_012_345_68],
      '[123456789012345670000,0.12345678901234568]',
    ],
    ['json', ['1234567890123456789', '\\u0000'], '["1234567890123456789","\\\\u0000"]'],
  ])('%s of %o', (kind, value, sent) => {
    expect(encode(kind, value, place)).toEqual(sent);
  });

  test.each<[FieldKind, unknown]>([
    ['text', 1],
    ['text', 'a\0b'],
    ['text', '\ud800'],
    ['number', '1'],
    ['number', Number.NaN],
    ['number', 2n ** 60n],
    ['bigint', 1.5],
    ['bigint', 2n ** 63n],
    ['boolean', 1],
    ['timestamp', '2024-01-01'],
    ['timestamp', new Date(Number.NaN)],
    ['timestamp', new Date(Date.UTC(10_000, 0))],
    ['bytes', 'x'],
    ['json', 'x'],
    ['json', { a: '\0' }],
    ['json', { '\udc00': 1 }],
    ['json', [2n ** 53n + 1n]],
    ['json', [Number.NaN]],
  ])('%s refuses %o, and does not show it', (kind, value) => {
    expect(() => encode(kind, value, place)).toThrow(
      /^The field "x" of "users" .*Nothing was sent\.$/,
    );
  });
});

test('what is sent comes back the same, whatever a driver makes of it', () => {
  const date = new Date('2024-02-29T12:34:56.789Z');
  expect(decode('timestamp', '2024-02-29 12:34:56.789000')).toEqual(date);
  expect(decodeSent('timestamp', date)).toEqual(date);
  expect(decode('bigint', 5)).toBe(5n);
  expect(decode('bigint', '5')).toBe(5n);
  expect(decode('number', '1.5')).toBe(1.5);
  expect(decode('boolean', 0)).toBe(false);
  expect(decode('json', '[1]')).toEqual([1]);
  expect(decodeSent('json', '{"__proto__":1}')).toEqual(JSON.parse('{"__proto__":1}'));
  expect(decode('bytes', new Uint8Array([1]))).toEqual(Buffer.from([1]));
  expect(decode('text', null)).toBe(null);
});
