import { expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { isJson, json } from './json.ts';

test.each([
  ['{"a":1,"b":[true,null,"x"]}', { a: 1, b: [true, null, 'x'] }],
  ['[1,2]', [1, 2]],
  ['"text"', 'text'],
  ['null', null],
  ['{"id":9007199254740993}', { id: 9_007_199_254_740_993n }],
  ['-1', -1n],
  ['{"here":1}', { gone: undefined, here: 1 }],
  ['"1970-01-01T00:00:00.000Z"', new Date(0)],
  ['{"inner":{"a":9007199254740993,"b":0.1}}', { inner: json({ a: 2n ** 53n + 1n, b: 0.1 }) }],
  ['"\\ud800"', '\ud800'],
])('%#: written as %s', (text, value) => {
  expect(json(value).text).toBe(text);
});

const circle: Record<string, unknown> = { name: 'secret' };
circle['self'] = circle;
const wide = { items: [{ parent: {} }] };
wide.items[0]!.parent = wide;

test.each([
  ['undefined', undefined, /undefined; use json\(null\)/],
  ['undefined in a list', { a: [1, undefined] }, /undefined at "1"/],
  ['a function', { onClick: () => 1 }, /function at "onClick"/],
  ['a function itself', () => 1, /function itself/],
  ['a symbol', [Symbol('x')], /symbol at "0"/],
  ['NaN', { rate: Number.NaN }, /NaN at "rate"/],
  ['Infinity', [Infinity], /Infinity at "0"/],
  ['a map', { seen: new Map() }, /Map at "seen"/],
  ['a set', new Set([1]), /Set itself/],
  ['a circle', circle, /holds itself at property 'self'/],
  ['a wide circle', wide, /holds itself at property 'parent'/],
  [
    'a toJSON that throws',
    {
      toJSON() {
        throw new Error('boom');
      },
    },
    /toJSON\(\) in it threw/,
  ],
])('%s is refused by name, without values', (_, value, reason) => {
  const act = () => json(value);
  expect(act).toThrow(ConfigError);
  expect(act).toThrow(reason);
  expect(act).not.toThrow(/secret/);
});

test('the value may change afterwards, the text does not', () => {
  const value = { a: 1 };
  const wrapped = json(value);
  value.a = 2;
  expect(wrapped.text).toBe('{"a":1}');
});

test('only what json() made is JSON, also in another copy of the package', async () => {
  const copyUrl = './json.ts?copy';
  const copy = (await import(copyUrl)) as { readonly json: typeof json };
  expect(copy.json).not.toBe(json);
  expect(isJson(copy.json(1))).toBe(true);
  for (const other of [{ text: '1' }, null, undefined, 'x', JSON.parse('{"dal.json":true}')]) {
    expect(isJson(other)).toBe(false);
  }
});
