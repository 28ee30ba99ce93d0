import { expect, test } from 'vitest';
import { flight } from './flight.ts';

/** What a server would read: the code of each message, and its body. */
function messagesOf(bytes: Buffer): [code: string, body: Buffer][] {
  const messages: [string, Buffer][] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    messages.push([String.fromCodePoint(bytes[at]!), bytes.subarray(at + 5, end)]);
    at = end;
  }
  expect(at).toBe(bytes.length);
  return messages;
}

/** The values of a Bind message, as the manual describes it. */
function bound(body: Buffer): { statement: string; formats: number[]; values: (Buffer | null)[] } {
  let at = 0;
  const cString = (): string => {
    const end = body.indexOf(0, at);
    const text = body.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  const int16 = (): number => body.readUInt16BE((at += 2) - 2);
  expect(cString()).toBe('');
  const statement = cString();
  const formats = Array.from({ length: int16() }, int16);
  const values = Array.from({ length: int16() }, () => {
    const length = body.readInt32BE((at += 4) - 4);
    return length === -1 ? null : body.subarray(at, (at += length));
  });
  expect([int16(), at]).toEqual([0, body.length]);
  return { statement, formats, values };
}

test('all messages of an exchange are in one buffer', () => {
  const bytes = flight
    .begin()
    .closeStatement('old')
    .parse('new', 'SELECT $1')
    .bind('new', ['x'])
    .describePortal()
    .execute()
    .sync()
    .take();
  expect(messagesOf(bytes).map(([code, body]) => [code, body.toString('latin1')])).toEqual([
    ['C', 'Sold\0'],
    ['P', 'new\0SELECT $1\0\0\0'],
    ['B', '\0new\0\0\0\0\u0001\0\0\0\u0001x\0\0'],
    ['D', 'P\0'],
    ['E', '\0\0\0\0\0'],
    ['S', ''],
  ]);
});

test('texts of every length and alphabet arrive whole', () => {
  const letters = ['a', 'ü', '€', '😀', '\uD800', '\u007F', '\u0080'];
  const texts = [0, 1, 31, 32, 33, 1_000, 100_000].flatMap((length) =>
    letters.flatMap((letter) => [letter.repeat(length), `${'a'.repeat(length)}${letter}`]),
  );
  const [[, body]] = messagesOf(flight.begin().bind('s', texts).take()) as [[string, Buffer]];
  const { formats, values } = bound(body);
  expect(formats).toEqual([]);
  expect(values.map(String)).toEqual(texts.map((text) => text.toWellFormed()));
});

test('bytes are sent as they are, with formats for all values', () => {
  const large = Buffer.alloc(100_000, 7);
  const values = ['text', Buffer.from([0, 255]), null, large, ''];
  const [[, body]] = messagesOf(flight.begin().bind('', values).take()) as [[string, Buffer]];
  expect(bound(body)).toEqual({
    statement: '',
    formats: [0, 1, 0, 1, 0],
    values: [Buffer.from('text'), values[1], null, large, Buffer.alloc(0)],
  });
});

test('what was left unfinished is not in the next one', () => {
  flight.begin().parse('a', 'SELECT 1');
  expect(messagesOf(flight.begin().sync().take())).toEqual([['S', Buffer.alloc(0)]]);
});

test('a flight is not changed by the next one', () => {
  const first = flight.begin().parse('a', 'SELECT 1').take();
  const copy = Buffer.from(first);
  flight.begin().parse('b', 'SELECT 2').take();
  expect(first).toEqual(copy);
});
