import { expect, test } from 'vitest';
import { readSqliteUrl } from './sqlite-url.ts';

test.each([
  ['sqlite::memory:', ':memory:'],
  ['sqlite://:memory:', ':memory:'],
  ['sqlite:./x.db', './x.db'],
  ['sqlite:x.db', 'x.db'],
  ['SQLITE:x.db', 'x.db'],
  ['file:./x.db', './x.db'],
  ['sqlite:/abs/x.db', '/abs/x.db'],
  ['sqlite:///abs/x.db', '/abs/x.db'],
  ['file:///C:/data/x.db', 'C:/data/x.db'],
  ['sqlite:C:\\data\\x.db', 'C:\\data\\x.db'],
  ['sqlite:./a%20b%3F.db', './a b?.db'],
])('%s names %s', (url, path) => {
  expect(readSqliteUrl(url)).toEqual({ path });
});

test('options follow behind the question mark', () => {
  expect(readSqliteUrl('sqlite:./x.db?readOnly=true&busyTimeoutMs=2s')).toEqual({
    path: './x.db',
    readOnly: 'true',
    busyTimeoutMs: '2s',
  });
});

test.each([
  ['sqlite:', /name a file/],
  ['sqlite://x.db', /name no host/],
  ['sqlite:./50%.db', /%25/],
  ['postgres://x', /begin with "sqlite:"/],
  ['sqlite:./x.db#top', /%23/],
])('%s is refused with advice', (url, advice) => {
  expect(() => readSqliteUrl(url)).toThrow(advice);
});
