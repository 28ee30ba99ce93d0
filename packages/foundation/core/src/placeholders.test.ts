import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Dialect, Lexis } from './dialect.ts';
import { ConfigError } from './errors.ts';
import { countNative, firstKeyword, toNative } from './placeholders.ts';

const postgres = engine('postgres', (index) => `$${index}`, {
  dollar: true,
  nestedComments: true,
  escapeStrings: true,
});
const mysql = engine('mysql', () => '?', {
  hashComments: true,
  dashNeedsSpace: true,
  backslashStrings: true,
  backticks: true,
  doubleQuotedStrings: true,
});
const sqlite = engine('sqlite', () => '?', { backticks: true, brackets: true });
const sqlServer = engine('sqlserver', (index) => `@p${index}`, {
  brackets: true,
  nestedComments: true,
});

test.each([
  ['SELECT ?, ?', 'SELECT $1, $2', 2],
  ["SELECT '?' || ?", "SELECT '?' || $1", 1],
  ["SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1", 1],
  [`SELECT "a?""?" FROM t WHERE a = ?`, `SELECT "a?""?" FROM t WHERE a = $1`, 1],
  ["SELECT '\\', ?", "SELECT '\\', $1", 1],
  ["SELECT E'\\'?', ?", "SELECT E'\\'?', $1", 1],
  ["SELECT e'\\\\', ?", "SELECT e'\\\\', $1", 1],
  ["SELECT E'a'\n'\\'?', ?", "SELECT E'a'\n'\\'?', $1", 1],
  ["SELECT E'a' -- x'\n '\\'?', ?", "SELECT E'a' -- x'\n '\\'?', $1", 1],
  ["SELECT E'a' '\\', ?", "SELECT E'a' '\\', $1", 1],
  ["SELECT date'?\\', ?", "SELECT date'?\\', $1", 1],
  ["SELECT U&'\\0061?', ?", "SELECT U&'\\0061?', $1", 1],
  ['SELECT $$?$$, ?', 'SELECT $$?$$, $1', 1],
  ['SELECT $a$?$$?$a$, ?', 'SELECT $a$?$$?$a$, $1', 1],
  ["SELECT $$?$$E'\\'?', ?", "SELECT $$?$$E'\\'?', $1", 1],
  ['SELECT a$b$ + ?, c$b$', 'SELECT a$b$ + $1, c$b$', 1],
  ['SELECT é$b$ + ?, c$b$', 'SELECT é$b$ + $1, c$b$', 1],
  ['SELECT 1 -- ?\n, ?', 'SELECT 1 -- ?\n, $1', 1],
  ['SELECT 1 -- ?\r, ?', 'SELECT 1 -- ?\r, $1', 1],
  ['SELECT 1 --? ', 'SELECT 1 --? ', 0],
  ['/* ? /* ? */ ? */ SELECT ?', '/* ? /* ? */ ? */ SELECT $1', 1],
  ['SELECT /*/ ? */ ?', 'SELECT /*/ ? */ $1', 1],
  ["SELECT ?::jsonb ?? 'a'", "SELECT $1::jsonb ? 'a'", 1],
  ['SELECT data ??| ? AND data ??& ?', 'SELECT data ?| $1 AND data ?& $2', 2],
  ['SELECT data @?? ?::jsonpath', 'SELECT data @? $1::jsonpath', 1],
  ['SELECT data ???', 'SELECT data ?$1', 1],
  ["SELECT '??', ?", "SELECT '??', $1", 1],
  ['LIMIT?OFFSET?', 'LIMIT $1 OFFSET $2', 2],
  ['SELECT #? - ?', 'SELECT #$1 - $2', 2],
  ['SELECT `?`', 'SELECT `$1`', 1],
  ['SELECT a[?]', 'SELECT a[$1]', 1],
  ["SELECT 'open ?", "SELECT 'open ?", 0],
  ['SELECT /* open ?', 'SELECT /* open ?', 0],
  ['SELECT $q$ open ? $', 'SELECT $q$ open ? $', 0],
  ['?', '$1', 1],
  ['', '', 0],
])('PostgreSQL: %j', (text, expected, count) => {
  expect(toNative(text, postgres)).toMatchObject({ text: expected, count });
});

test.each([
  ["SELECT '\\'?', ?", 1],
  ['SELECT "\\"?", "a""?", ?', 1],
  ["SELECT 'a''?\\\\', ?", 1],
  ['SELECT `a``?\\`, ?', 1],
  ['SELECT 1 # ?\n + ?', 1],
  ['SELECT 1 -- ?\n + ?', 1],
  ['SELECT 5--?', 1],
  ['SELECT 5 --\t?', 0],
  ['SELECT 5 --', 0],
  ['SELECT /* ? /* ? */ ?', 1],
  ['SELECT /*! ? + */ ?', 2],
  ['SELECT /*M!100100 ? + */ ?', 2],
  ['SELECT /*+ hint(?) */ ?', 1],
  ['SELECT [?], $$ ? $$', 2],
])('MySQL: %j has %i parameters', (text, count) => {
  expect(toNative(text, mysql)).toMatchObject({ text, count });
});

test.each([
  ['SELECT [a?], ?', 1],
  ['SELECT `a?`, "b?", ?', 1],
  ["SELECT '\\', ?", 1],
  ['SELECT /* /* ? */ ?', 1],
  ['SELECT 1 --?\n + ?', 1],
  ['SELECT $$ ? $$', 1],
])('SQLite: %j has %i parameters', (text, count) => {
  expect(toNative(text, sqlite)).toMatchObject({ text, count });
});

test('a mark is kept apart from the word behind it, which MySQL would not read', () => {
  expect(toNative('a>?and b<?', mysql).text).toBe('a>? and b<?');
});

test('a dialect with long marks is rewritten too', () => {
  expect(toNative('SELECT [?] + ? + ?and', sqlServer).text).toBe('SELECT [?] + @p1 + @p2 and');
});

test('a tag of a dollar quote never starts with a digit', () => {
  const duckdb = engine('duckdb', () => '?', { dollar: true });
  expect(toNative('SELECT $1$ ? $1$', duckdb).count).toBe(1);
  expect(toNative('SELECT $a1$ ? $a1$', duckdb).count).toBe(0);
});

test.each([
  ['PostgreSQL', 'SELECT ?1', postgres, /"\?1"/],
  ['SQLite', 'SELECT ?2', sqlite, /"\?2"/],
  ['MySQL', 'SELECT ?? FROM t', mysql, /sql\.id/],
  ['PostgreSQL', 'SELECT $1, ?', postgres, /mixes \? and \$1/],
  ['PostgreSQL', 'SELECT ?, $1', postgres, /mixes \? and \$1/],
  ['SQLite', 'SELECT \0?', sqlite, /NUL/],
] as const)('%s refuses %j with a reason and without the text', (_, text, dialect, reason) => {
  const act = () => toNative(`${text} 'a secret'`, dialect);
  expect(act).toThrow(ConfigError);
  expect(act).toThrow(reason);
  expect(act).not.toThrow(/secret/);
});

test('native marks are reported, so a forgotten option can be named', () => {
  expect(toNative('SELECT $1', postgres)).toEqual({
    text: 'SELECT $1',
    count: 0,
    native: true,
    operation: 'SELECT',
  });
  expect(toNative("SELECT '$1', $$ $1 $$, a$1", postgres).native).toBe(false);
});

test.each([
  ['select 1', 'SELECT'],
  ['  -- a\n /* b */ ((Select 1))', 'SELECT'],
  ['/* a /* b */ c */ WITH x AS (SELECT 1) SELECT 2', 'WITH'],
  [';; begin', 'BEGIN'],
  ['\ufeffCOMMIT', 'COMMIT'],
  ['', ''],
  ['-- only a comment', ''],
  ['/* open', ''],
  [`x${'y'.repeat(100)} 1`, ''],
  ["'quoted'", ''],
])('the first word of %j is %j', (text, word) => {
  expect(firstKeyword(text, postgres.lexis)).toBe(word);
});

test('the first word of a MySQL text may stand in a comment that is code', () => {
  expect(firstKeyword('/*!50000 select 1 */', mysql.lexis)).toBe('SELECT');
  expect(firstKeyword('# note\n/*M! (insert */', mysql.lexis)).toBe('INSERT');
});

test('the same text is rewritten once', () => {
  const first = toNative('SELECT ? -- once', postgres);
  expect(toNative('SELECT ? -- once', postgres)).toBe(first);
  expect(toNative('SELECT ? -- once', sqlite).text).toBe('SELECT ? -- once');
});

test('ten thousand other texts push a text out, and steady use keeps one in', () => {
  const forgotten = toNative('SELECT ? -- forgotten', postgres);
  const kept = toNative('SELECT ? -- kept', postgres);
  for (let i = 0; i < 10_000; i++) {
    toNative(`SELECT ? -- ${i}`, postgres);
    toNative('SELECT ? -- kept', postgres);
  }
  expect(toNative('SELECT ? -- kept', postgres)).toBe(kept);
  expect(toNative('SELECT ? -- forgotten', postgres)).not.toBe(forgotten);
});

test('names from Object.prototype are texts like others', () => {
  for (const text of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    expect(toNative(text, postgres)).toMatchObject({ text, count: 0 });
  }
});

test.each([
  "'",
  '"',
  '`',
  '[',
  '$',
  '$a',
  '$a$',
  '$$',
  '/*',
  '*/',
  '/**/',
  '--\n',
  "E'",
  "E''\n",
  "'\\",
  '#\r',
  'a?',
  '?',
  '? ',
  '(',
  ' ',
  '-',
  'é',
])('a megabyte of %j takes a moment', { timeout: 60_000 }, (piece) => {
  const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
  for (const dialect of [postgres, mysql, sqlite, sqlServer]) {
    // Work done, not time passed: the machine may be busy with other tests.
    const start = process.cpuUsage();
    // `??` is refused where it means nothing.
    attempt(() => toNative(`${text} ?`, dialect));
    countNative(text, dialect);
    expect(process.cpuUsage(start).user / 1_000).toBeLessThan(2_000);
  }
});

/** Pieces that meet in surprising ways. What is refused at once would hide what comes behind it. */
function texts(refused: readonly string[]): fc.Arbitrary<string> {
  return fc
    .array(
      fc.oneof(
        { weight: 60, arbitrary: fc.constantFrom('?', ' ', '\n', 'a', 'E', "'", '$', '"', ' ? ') },
        { weight: 30, arbitrary: fc.constantFrom("''", '\\', '$$', '$a$', "E'", '/*', '*/', '--') },
        { weight: 20, arbitrary: fc.constantFrom('`', '[', ']', '#', '/*!', '-', '/', '*') },
        { weight: 10, arbitrary: fc.constantFrom('\r', '\t', 'é', '_', '@', ':', '|', 'M!', '😀') },
        { weight: 1, arbitrary: fc.constantFrom(...refused) },
      ),
      { maxLength: 40, size: 'max' },
    )
    .map((pieces) => pieces.join(''));
}

test.each([postgres, mysql, sqlite])(
  '34,000 random texts are read as the grammar of $name says',
  { timeout: 60_000 },
  (dialect) => {
    let compared = 0;
    const refused = dialect === postgres ? ['$1', '?1'] : ['??', '?1'];
    const property = fc.property(texts(refused), (text) => {
      const expected = attempt(() => rewriteByGrammar(text, dialect));
      const actual = attempt(() => {
        const { text: native, count } = toNative(text, dialect);
        return { text: native, count };
      });
      expect(actual).toEqual(expected);
      if (expected !== 'refused') compared += 1;
    });
    fc.assert(property, { numRuns: 34_000 });

    expect(compared).toBeGreaterThan(25_000);
  },
);

test('every ? that counts is one native mark, and nothing else becomes one', () => {
  const property = fc.property(texts(['??', '$1']), (text) => {
    const result = attempt(() => toNative(text, postgres));
    if (result === 'refused') return;
    expect(result.native ? 0 : countNative(result.text, postgres)).toBe(result.count);
  });
  fc.assert(property, { numRuns: 10_000 });
});

/** Another road to the same answer: the engines' token grammars, tried one after another. */
const grammars: Record<string, readonly RegExp[]> = {
  postgres: [
    /--[^\n\r]*/y,
    /[eE]'(?:\\[^]|''|[^\\'])*(?:'(?:[ \t\v\f]|--[^\n\r]*)*[\n\r](?:\s|--[^\n\r]*[\n\r])*'(?:\\[^]|''|[^\\'])*)*(?:'|\\?$)/y,
    /'(?:''|[^'])*(?:'|$)/y,
    /"(?:""|[^"])*(?:"|$)/y,
    /(\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)[^]*?(?:\1|$)/y,
    /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y,
    /\d[\w\u0080-\uffff]*/y,
  ],
  mysql: [
    /\/\*M?!/y,
    /\/\*[^]*?(?:\*\/|$)/y,
    /#[^\n]*/y,
    /--(?=[\0- \x7f]|$)[^\n]*/y,
    /'(?:\\[^]|''|[^\\'])*(?:'|\\?$)/y,
    /"(?:\\[^]|""|[^\\"])*(?:"|\\?$)/y,
    /`(?:``|[^`])*(?:`|$)/y,
    /[\w\u0080-\uffff]+/y,
  ],
  sqlite: [
    /\/\*[^]*?(?:\*\/|$)/y,
    /--[^\n]*/y,
    /'(?:''|[^'])*(?:'|$)/y,
    /"(?:""|[^"])*(?:"|$)/y,
    /`(?:``|[^`])*(?:`|$)/y,
    /\[(?:\]\]|[^\]])*(?:\]|$)/y,
    /[\w\u0080-\uffff]+/y,
  ],
};

function rewriteByGrammar(text: string, dialect: Dialect): { text: string; count: number } {
  const isPostgres = dialect.name === 'postgres';
  let [done, count, native, at] = ['', 0, false, 0];
  while (at < text.length) {
    const rest = text.slice(at);
    const comment = isPostgres && rest.startsWith('/*') ? nestedComment(rest) : undefined;
    const token = comment ?? firstMatch(text, at, grammars[dialect.name] ?? []);
    if (token !== undefined) {
      done += token;
      at += token.length;
    } else if (rest.startsWith('??')) {
      if (!isPostgres) return refuse();
      done += '?';
      at += 2;
    } else if (/^\?\d/.test(rest)) {
      return refuse();
    } else if (rest.startsWith('?')) {
      count += 1;
      const glued = [
        /[\w$\u0080-\uffff]$/.test(text.slice(0, at)),
        /^.[\w$\u0080-\uffff]/.test(rest),
      ];
      const left = isPostgres && glued[0] ? ' ' : '';
      done += `${left}${isPostgres ? `$${count}` : '?'}${glued[1] ? ' ' : ''}`;
      at += 1;
    } else {
      if (isPostgres && /^\$\d/.test(rest)) native = true;
      done += rest.charAt(0);
      at += 1;
    }
  }
  return native && count > 0 ? refuse() : { text: done, count };
}

function firstMatch(text: string, at: number, grammar: readonly RegExp[]): string | undefined {
  for (const token of grammar) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match !== null) return match[0];
  }
  return undefined;
}

function nestedComment(text: string): string {
  let depth = 0;
  for (const { 0: mark, index } of text.matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1;
    if (depth === 0) return text.slice(0, index + 2);
  }
  return text;
}

function attempt<T>(act: () => T): T | 'refused' {
  try {
    return act();
  } catch (error) {
    if (error instanceof ConfigError) return 'refused';
    throw error;
  }
}

function refuse(): never {
  throw new ConfigError('refused by the grammar');
}

function engine(name: string, placeholder: (index: number) => string, lexis: Lexis): Dialect {
  return {
    name,
    placeholder,
    lexis,
    quote: name === 'mysql' ? ['`', '`'] : ['"', '"'],
    ping: 'SELECT 1',
    transaction: null,
    isolations: [],
    limits: { parameters: 65_535 },
    types: {} as Dialect['types'],
  };
}
