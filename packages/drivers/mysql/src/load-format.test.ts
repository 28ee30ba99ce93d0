import { json } from '@dal/core';
import { expect, test } from 'vitest';
import { type LoadKind, loadKind, loadLine } from './load-format.ts';

const line = (kind: LoadKind, ...row: unknown[]): string =>
  loadLine(
    row.map((_, index) => ({ name: `c${index}`, kind })),
    row,
    4,
  );

test('values are told apart by tabs, and what looks like a mark is escaped', () => {
  expect(line('text', 'a', null, '')).toBe('a\t\\N\t\n');
  expect(line('text', 'a\tb\nc\\d\r\0', '\\N', 'NULL')).toBe('a\\tb\\nc\\\\d\\r\\0\t\\\\N\tNULL\n');
  expect(line('text', 1.5, -0, 1e21, 2n ** 64n, true, false)).toBe(
    '1.5\t-0\t1e+21\t18446744073709551616\t1\t0\n',
  );
  expect(line('text', new Date(0), json({ a: '\n' }), Buffer.from('ä'))).toBe(
    '1970-01-01 00:00:00.000\t{"a":"\\\\n"}\tä\n',
  );
});

test('bytes are hexadecimal, bits a number', () => {
  expect(line('bytes', Buffer.from([0, 255]), 'ä', null, 5)).toBe('00ff\tc3a4\t\\N\t35\n');
  expect(line('bits', Buffer.from([1, 2]), 5, true, 7n, null, 'A')).toBe('258\t5\t1\t7\t\\N\t65\n');
});

test.each([
  ['varbinary(8)', 'bytes'],
  ['LONGBLOB', 'bytes'],
  ['geometry', 'bytes'],
  ['bit(1)', 'bits'],
  ['varchar(8)', 'text'],
  ['json', 'text'],
  ["enum('a')", undefined],
  ["set('a')", undefined],
  ['', 'text'],
])('%s is sent as %s', (type, kind) => {
  expect(loadKind(type)).toBe(kind);
});

test.each([[Number.NaN], [new Date(8.64e15)], [{ a: 1 }], [undefined], [Buffer.from([0xff])]])(
  '%s for a text is refused with the place of its row',
  (value) => {
    expect(() => line('text', value)).toThrow(/"c0"/);
    expect(() => line('text', value)).toThrow(expect.objectContaining({ rowIndex: 4 }));
  },
);
