import { json } from '@dal/core';
import { expect, test } from 'vitest';
import {
  packRows,
  portableOption,
  portableRow,
  restoreOption,
  unpackRows,
} from './carried-values.ts';

function travelled(rows: unknown[]): unknown[] {
  const bytes = packRows(rows);
  const arrived = structuredClone(rows);
  if (bytes) unpackRows(arrived);
  return arrived;
}

test('rows arrive as they were, Buffers and lists of Buffers included', () => {
  const rows = (): unknown[] => [
    {
      a: 1,
      b: 9_007_199_254_740_993n,
      c: new Date(7),
      d: null,
      e: Buffer.from('é'),
      f: { g: [1] },
    },
    [Buffer.from([1]), [Buffer.from([2, 3]), null], 'text', true],
  ];
  expect(travelled(rows())).toStrictEqual(rows());
});

test('a Buffer takes only itself along, not the memory that it is a part of', () => {
  const row = { part: Buffer.alloc(100_000, 'x').subarray(5, 8) };
  packRows([row]);
  expect(row.part.buffer.byteLength).toBe(3);
});

test('rows without bytes are not looked through again', () => {
  expect(packRows([{ a: 1, b: 'x', c: new Date() }, [1], null, 7])).toBe(false);
});

test('json() becomes its text, and what no database holds is refused with its row', () => {
  expect(portableRow({ id: 1, extra: json({ a: 1 }) }, 0)).toEqual({ id: 1, extra: '{"a":1}' });
  expect(portableRow([json([1]), null], 0)).toEqual(['[1]', null]);
  expect(() => portableRow([1, () => 1], 4)).toThrow('Row 5 holds a function');
});

test('options travel with their Buffers, and a function among them is named', () => {
  const options = {
    host: 'x',
    tls: { ca: [Buffer.from('cert')], mode: 'require' },
    pool: { max: 3 },
  };
  expect(restoreOption(structuredClone(portableOption(options)))).toStrictEqual(options);
  expect(() => portableOption({ tls: { check: () => true } })).toThrow('"tls.check"');
  expect(() => portableOption({ password: () => 'x' })).toThrow('Ask for the password first');
});
