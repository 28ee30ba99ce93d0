import { expect, test } from 'vitest';
import { executePacket } from './execute-packet.ts';

/** Types and values of the message, as hexadecimal. */
function written(...values: unknown[]): { types: string; values: string } {
  const { buffer } = executePacket(values);
  const types = 14 + ((values.length + 7) >> 3) + 1;
  const first = types + values.length * 2;
  return {
    types: buffer.toString('hex', types, first),
    values: buffer.toString('hex', first),
  };
}

test('a message has command, statement, one run, a map of NULLs, types and values', () => {
  const packet = executePacket([null, true, 'é']);
  packet.setStatement(0x01_02_03_04);
  packet.writeHeader(7);
  expect(packet.values).toBe(3);
  expect(packet.length()).toBe(packet.buffer.length);
  expect(packet.buffer.toString('hex')).toBe(
    ['160000', '07', '17', '04030201', '00', '01000000', '01', '01', '0600', '0100', 'fd00']
      .concat(['01', '02', 'c3a9'])
      .join(''),
  );
});

test('without values nothing is said about them', () => {
  expect(executePacket([]).buffer).toHaveLength(14);
});

test('the ninth NULL is in the second byte of the map', () => {
  const { buffer } = executePacket(Array.from({ length: 9 }, () => null));
  expect(buffer.toString('hex', 14, 17)).toBe('ff0101');
});

test.each<[unknown, string, string]>([
  [1, '0800', '0100000000000000'],
  [-1, '0800', 'ffffffffffffffff'],
  [2 ** 32, '0800', '0000000001000000'],
  [-(2 ** 32) - 1, '0800', 'fffffffffeffffff'],
  [Number.MAX_SAFE_INTEGER, '0800', 'ffffffffffff1f00'],
  [Number.MIN_SAFE_INTEGER, '0800', '010000000000e0ff'],
  [2 ** 53, '0500', '0000000000004043'],
  [1.5, '0500', '000000000000f83f'],
  [-0, '0500', '0000000000000080'],
  [-(2n ** 63n), '0800', '0000000000000080'],
  [2n ** 64n - 1n, '0880', 'ffffffffffffffff'],
  [2n ** 64n, 'f600', `14${Buffer.from('18446744073709551616').toString('hex')}`],
  [false, '0100', '00'],
  [new Date('2024-02-29T12:34:56.789Z'), '0c00', '0be807021d0c2238080a0c00'],
  [new Uint8Array([1, 2, 3]).subarray(1), 'fc00', '020203'],
  ['\u{1F600}', 'fd00', '04f09f9880'],
  ['', 'fd00', '00'],
])('%s is written with its type', (value, types, values) => {
  expect(written(value)).toEqual({ types, values });
});

test.each([83, 84, 250, 251, 65_535, 65_536, 5_592_406])(
  'a text of %i characters has a length of the right size, whatever its characters',
  (length) => {
    for (const sign of ['a', 'é', '€']) {
      const text = sign.repeat(length);
      const bytes = Buffer.byteLength(text);
      const [size, mark] =
        bytes < 251
          ? [1, bytes]
          : bytes < 65_536
            ? [3, 0xfc]
            : bytes < 16_777_216
              ? [4, 0xfd]
              : [9, 0xfe];
      const { buffer } = executePacket([text]);
      const first = 14 + 1 + 1 + 2;
      expect(buffer[first]).toBe(mark);
      expect(buffer.length).toBe(first + size + bytes);
      if (size > 1) {
        expect(buffer.readUIntLE(first + 1, Math.min(6, size - 1))).toBe(bytes);
      }
      expect(buffer.subarray(first + size).equals(Buffer.from(text))).toBe(true);
    }
  },
);

test.each([
  [Number.NaN],
  [Number.POSITIVE_INFINITY],
  [new Date(8.64e15)],
  [new Date(Number.NaN)],
  [{ a: 1 }],
  [[1]],
  [undefined],
  [Symbol('s')],
  [() => 1],
])('%s is refused before anything is sent, by its place', (value) => {
  expect(() => executePacket([1, 2, value])).toThrow(/Value 3 .* Nothing was sent/);
});
