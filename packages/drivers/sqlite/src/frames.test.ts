import { expect, test } from 'vitest';
import { FrameReader, writeFrame } from './frames.ts';
import { packCells, packRows, unpackCells } from './packed-cells.ts';

const messages = [
  ['run', 'SELECT 1', [1, 'ä\u{1F600}\ud800', null]],
  [true, false, { rows: [[1.5, 'x'.repeat(20_000)]] }],
  ['x'.repeat(100_000)],
  [],
];

test.each([1, 3, 7, 1_000, 1_000_000])('messages arrive whole in pieces of %s bytes', (size) => {
  const bytes = Buffer.concat(messages.map((message) => writeFrame(message)));
  const reader = new FrameReader();
  const seen: unknown[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    reader.add(Buffer.from(bytes.subarray(at, at + size)));
    for (let next = reader.next(); next; next = reader.next()) seen.push(next[0]);
  }
  expect(seen).toEqual(messages);
  expect(reader.next()).toBeUndefined();
});

test('what JSON has no word for is packed, and comes back as it was', () => {
  const cells = [1n, -(2n ** 63n), -0, Infinity, -Infinity, new Uint8Array([0, 255, 7]), 'x', 2.5];
  const packed = [...cells];
  expect(packCells(packed)).toBe(true);
  const [, , arrived] = JSON.parse(JSON.stringify(['run', 1, packed])) as [
    string,
    number,
    unknown[],
  ];
  unpackCells(arrived);
  expect(arrived.map((cell) => (cell instanceof Uint8Array ? new Uint8Array(cell) : cell))).toEqual(
    cells,
  );
});

test('what JSON can say stays as it is', () => {
  const rows = [['x', 1.5, null, true, -1, '["integer","1"]'], []];
  const before = structuredClone(rows);
  expect(packRows(rows)).toBe(false);
  expect(rows).toEqual(before);
});
