import { expect, test } from 'vitest';
import { FrameReader, isPlain, writeFrame } from './frames.ts';

const messages = [
  ['run', 'SELECT 1', [1, 'ä', null]],
  [true, false, { rows: [[1n, new Uint8Array([1, 2]), -0, Infinity, 'x\u{1F600}']] }],
  ['x'.repeat(100_000)],
  [],
];

test.each([1, 3, 7, 1_000, 1_000_000])('messages arrive whole in pieces of %s bytes', (size) => {
  const bytes = Buffer.concat(messages.map((message, index) => writeFrame(message, index !== 1)));
  const reader = new FrameReader();
  const seen: unknown[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    reader.add(Buffer.from(bytes.subarray(at, at + size)));
    for (let next = reader.next(); next; next = reader.next()) seen.push(next[0]);
  }
  expect(seen).toEqual(messages.map((message) => (Array.isArray(message) ? message : [message])));
  expect(reader.next()).toBeUndefined();
});

test('what JSON would change is not plain', () => {
  expect(isPlain(['x', 1.5, null, true, -1])).toBe(true);
  for (const cell of [1n, -0, Infinity, Number.NaN, new Uint8Array(1), undefined]) {
    expect(isPlain([1, cell])).toBe(false);
  }
});
