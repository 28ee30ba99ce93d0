import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeValues, postgresTypes } from './postgres-types.ts';

const types = postgresTypes();
const read = (oid: number, text: string): unknown => types.reader(oid)(text);
const write = (value: unknown): unknown => encodeValues([value])[0];

describe('what the server writes', () => {
  test.for([
    [16, 't', true],
    [16, 'f', false],
    [20, '42', 42],
    [20, '9007199254740991', 9_007_199_254_740_991],
    [20, '9007199254740993', 9_007_199_254_740_993n],
    [20, '-9223372036854775808', -9_223_372_036_854_775_808n],
    [23, '-7', -7],
    [701, 'NaN', Number.NaN],
    [701, '-Infinity', -Infinity],
    [701, '-0', -0],
    [701, '1e-05', 0.00001],
    [1700, '0.10000000000000000000000001', '0.10000000000000000000000001'],
    [1082, '0044-03-15 BC', '0044-03-15 BC'],
    [1083, '10:00:00.5', '10:00:00.5'],
    [1184, '2026-01-31 12:30:00.123456+00', new Date('2026-01-31T12:30:00.123Z')],
    [1184, '2026-01-31 12:30:00+05:30', new Date('2026-01-31T07:00:00Z')],
    [1114, '2026-01-31 12:30:00', new Date('2026-01-31T12:30:00Z')],
    [1184, 'infinity', 'infinity'],
    [3802, '{"a": [1, null]}', { a: [1, null] }],
    [17, String.raw`\x00ff5c`, Buffer.from([0, 255, 92])],
    [17, String.raw`a\\b\000\377`, Buffer.from([97, 92, 98, 0, 255])],
    [2950, '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001'],
    [999_999, 'anything', 'anything'],
    [1007, '{1,NULL,3}', [1, null, 3]],
    [1007, '{}', []],
    [
      1007,
      '{{1,2},{3,4}}',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [1007, '[0:1]={5,6}', [5, 6]],
    [1016, '{9007199254740993}', [9_007_199_254_740_993n]],
    [
      1009,
      String.raw`{"a\"b\\c","NULL",NULL,"","{,}",plain}`,
      ['a"b\\c', 'NULL', null, '', '{,}', 'plain'],
    ],
    [1001, String.raw`{"\\x01ff"}`, [Buffer.from([1, 255])]],
    [1000, '{t,f}', [true, false]],
    [3807, String.raw`{"{\"a\": 1}"}`, [{ a: 1 }]],
    [1185, '{"2026-01-31 00:00:00+00",infinity}', [new Date('2026-01-31'), 'infinity']],
  ] as const)('%i %s', ([oid, text, value]) => {
    expect(read(oid, text)).toEqual(value);
  });

  test('can stay text, or become what was asked for', () => {
    const asked = postgresTypes({
      integers: 'bigint',
      decimals: 'number',
      timestamps: 'text',
      json: 'text',
    });
    expect(asked.reader(20)('1')).toBe(1n);
    expect(asked.reader(1700)('1.5')).toBe(1.5);
    expect(asked.reader(1184)('2026-01-31 00:00:00.123456+00')).toBe(
      '2026-01-31 00:00:00.123456+00',
    );
    expect(asked.reader(114)('{}')).toBe('{}');
    expect(() => postgresTypes({ integers: 'number' }).reader(20)('9007199254740993')).toThrow(
      /does not fit/,
    );
  });

  test('a broken array ends', () => {
    for (const text of ['', '{', '{1', '{"', '{"a', '{{1}', '[', '{,', '{1,']) {
      expect(Array.isArray(read(1009, text))).toBe(true);
    }
  });

  test('types have names', () => {
    expect([20, 1016, 16_500].map((oid) => types.nameOf(oid))).toEqual(['int8', 'int8[]', '16500']);
  });
});

describe('what the server reads', () => {
  test.for([
    ['text', 'text'],
    [null, null],
    [true, 'true'],
    [-0, '-0'],
    [Number.NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [2n ** 63n, '9223372036854775808'],
    [new Date('2026-01-31T12:30:00.007Z'), '2026-01-31 12:30:00.007+00'],
    [new Date('0099-01-02T00:00:00Z'), '0099-01-02 00:00:00.000+00'],
    [new Date('0000-01-02T00:00:00Z'), '0001-01-02 00:00:00.000+00 BC'],
    [new Date('-000043-03-15T00:00:00Z'), '0044-03-15 00:00:00.000+00 BC'],
    [new Date('+012345-01-02T00:00:00Z'), '12345-01-02 00:00:00.000+00'],
    [[], '{}'],
    [[1, null, 2.5, 3n], '{1,NULL,2.5,3}'],
    [[['a'], ['b"\\']], String.raw`{{"a"},{"b\"\\"}}`],
    [[true, 'NULL', ''], '{"true","NULL",""}'],
    [[Buffer.from([1, 255])], String.raw`{"\\x01ff"}`],
    [[new Date(0)], '{"1970-01-01 00:00:00.000+00"}'],
  ] as const)('%s', ([value, encoded]) => {
    expect(write(value)).toBe(encoded);
  });

  test('bytes go as they are, whatever view they are', () => {
    const bytes = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
    expect(write(bytes)).toEqual(Buffer.from([1, 2]));
  });

  test('what it has no form for is refused without showing it', () => {
    expect(() => write({ secret: 1 })).toThrow(/json\(/);
    expect(() => write(new Date(Number.NaN))).toThrow(/invalid Date/);
    expect(() => write([[[[[[[1]]]]]]])).toThrow(/nested deeper/);
  });
});

test('every list of texts comes back as it went', () => {
  const item = fc.oneof(fc.string({ unit: 'binary' }), fc.constant(null), fc.constant('NULL'));
  fc.assert(
    fc.property(fc.array(item), (list) => {
      expect(read(1009, write(list) as string)).toEqual(list);
    }),
  );
});
