import { expect, test } from 'vitest';
import type { Dialect } from './dialect.ts';
import { ConfigError } from './errors.ts';
import { isSql, renderSql, type Sql, sql } from './sql.ts';

const postgres: Dialect = {
  name: 'postgres',
  placeholder: (index) => `$${index}`,
  quote: ['"', '"'],
  lexis: { dollar: true, nestedComments: true, escapeStrings: true },
  ping: 'SELECT 1',
  transaction: null,
  isolations: [],
  limits: { parameters: 65_535 },
  arrays: true,
  types: {} as Dialect['types'],
};
const { arrays: _, ...withoutArrays } = postgres;
const mysql: Dialect = {
  ...withoutArrays,
  name: 'mysql',
  placeholder: () => '?',
  quote: ['`', '`'],
  lexis: { hashComments: true, backslashStrings: true, backticks: true, doubleQuotedStrings: true },
};

test('values become parameters and never reach the text', () => {
  const name = "'; DROP TABLE users; --";
  expect(renderSql(sql`SELECT * FROM users WHERE name = ${name} AND id > ${7}`, postgres)).toEqual({
    text: 'SELECT * FROM users WHERE name = $1 AND id > $2',
    values: [name, 7],
    operation: 'SELECT',
  });
});

test('one place in a program has one text, whatever the values', () => {
  expect(renderSql(selectOf(1), postgres).text).toBe('SELECT $1');
  expect(renderSql(selectOf(2), postgres)).toMatchObject({ text: 'SELECT $1', values: [2] });
  expect(renderSql(selectOf(3), mysql)).toMatchObject({ text: 'SELECT ?', values: [3] });
  expect(renderSql(selectOf(4), postgres)).toMatchObject({ text: 'SELECT $1', values: [4] });
});

test('a list becomes a parameter for each item', () => {
  const { text, values } = renderSql(sql`SELECT ${0} WHERE a IN (${[1, 'b', null]})`, postgres);
  expect(text).toBe('SELECT $1 WHERE a IN ($2, $3, $4)');
  expect(values).toEqual([0, 1, 'b', null]);
});

test('bytes are one value, not a list', () => {
  const bytes = new Uint8Array([1, 2]);
  expect(renderSql(sql`SELECT ${bytes}`, postgres)).toMatchObject({ values: [bytes] });
});

test.each([
  ['PostgreSQL', postgres, 'a IN (', "a = ANY ('{}')"],
  ['PostgreSQL', postgres, 'a not\n in ( ', "a <> ALL ('{}')"],
  ['PostgreSQL', postgres, 'NOT a In(', "NOT a = ANY ('{}')"],
  ['MySQL', mysql, 'a IN (', 'a IN (SELECT NULL WHERE 1 = 0)'],
  ['MySQL', mysql, 'a NOT  IN (', 'a NOT IN (SELECT NULL WHERE 1 = 0)'],
])('%s: an empty list %#', (_name, dialect, text, expected) => {
  const strings = Object.assign([text, ')'], { raw: [text, ')'] });
  expect(renderSql(sql(strings, []), dialect).text).toBe(expected);
});

test('an empty list elsewhere is refused', () => {
  for (const make of [
    () => sql`SELECT ${[]}`,
    () => sql`SELECT f(${[]})`,
    () => sql`SELECT min(${[]})`,
    () => sql`a IN (1, ${[]})`,
    () => sql`a IN (${[]}, 1)`,
    () => sql`a éIN (${[]})`,
    () => sql`a IN ${[]}`,
  ]) {
    expect(make).toThrow(/list at \$\{1\} is empty/);
  }
});

test('pieces are put in with their values in order', () => {
  const filter = sql`b = ${2} AND c = ${3}`;
  const { text, values } = renderSql(sql`SELECT ${1} WHERE ${filter} AND d = ${4}`, postgres);
  expect(text).toBe('SELECT $1 WHERE b = $2 AND c = $3 AND d = $4');
  expect(values).toEqual([1, 2, 3, 4]);
});

test('a statement may grow in a loop', () => {
  let grown = sql`SELECT ${0}`;
  for (let i = 1; i < 50_000; i++) grown = sql`${grown} + ${i}`;
  const { text, values } = renderSql(grown, postgres);
  expect(values.length).toBe(50_000);
  expect(text.endsWith('$49999 + $50000')).toBe(true);
});

test('identifiers wear the quotes of the engine', () => {
  const statement = sql`SELECT ${sql.id('shop', 'a"b`c')} FROM t`;
  expect(renderSql(statement, postgres).text).toBe('SELECT "shop"."a""b`c" FROM t');
  expect(renderSql(statement, mysql).text).toBe('SELECT `shop`.`a"b``c` FROM t');
});

test('raw text is text, and join puts pieces between pieces', () => {
  const filters = [sql`a = ${1}`, sql`b = ${2}`];
  const where = sql.join(filters, sql` OR `);
  const columns = sql.join([sql.id('a'), sql.raw('now()'), 5]);
  expect(renderSql(sql`SELECT ${columns} WHERE ${where}`, postgres)).toMatchObject({
    text: 'SELECT "a", now(), $1 WHERE a = $2 OR b = $3',
    values: [5, 1, 2],
  });
});

test('rows become VALUES', () => {
  const rows = sql.values([
    [1, 'a'],
    [2, sql`DEFAULT`],
  ]);
  expect(renderSql(sql`INSERT INTO t VALUES ${rows}`, postgres)).toEqual({
    text: 'INSERT INTO t VALUES ($1, $2), ($3, DEFAULT)',
    values: [1, 'a', 2],
    operation: 'INSERT',
  });
});

test('an array value is one parameter', () => {
  const { text, values } = renderSql(sql`SELECT 1 = ANY(${sql.array([1, 2])})`, postgres);
  expect(text).toBe('SELECT 1 = ANY($1)');
  expect(values).toEqual([[1, 2]]);
});

test('parameters keep apart from the words around them', () => {
  const statement = sql`SELECT 1 LIMIT${1}OFFSET${sql`${0}`}${sql.raw('FOR')} UPDATE`;
  expect(renderSql(statement, postgres).text).toBe('SELECT 1 LIMIT $1 OFFSET $2 FOR UPDATE');
});

test('a ? in the text is the operator that it is', () => {
  expect(renderSql(sql`SELECT data ? ${'key'}`, postgres).text).toBe('SELECT data ? $1');
  expect(() => renderSql(sql`SELECT ? + ${1}`, mysql)).toThrow(/1 value and 2 places/);
});

test('a value inside quotes or a comment is refused', () => {
  for (const make of [
    () => sql`SELECT '${1}'`,
    () => sql`SELECT "${1}"`,
    () => sql`SELECT 1 -- ${1}`,
    () => sql`SELECT /* ${1} */ 1`,
  ]) {
    expect(() => renderSql(make(), postgres)).toThrow(/1 value and 0 places/);
    expect(() => renderSql(make(), mysql)).toThrow(/1 value and 0 places/);
  }
});

test.each([
  ['undefined', () => sql`SELECT ${1}, ${undefined}`, /value at \$\{2\} is undefined/],
  ['undefined in a list', () => sql`IN (${[undefined]})`, /undefined/],
  ['a function', () => sql`SELECT ${() => 1}`, /function/],
  ['a symbol', () => sql`SELECT ${Symbol('x')}`, /symbol/],
  ['a list in a list', () => sql`IN (${[[1]]})`, /sql\.values/],
  ['no rows', () => sql.values([]), /one row or more/],
  ['rows of other lengths', () => sql.values([[1], [1, 2]]), /row 2/],
  ['nothing to join', () => sql.join([]), /nothing to join/],
  ['no name', () => sql.id(), /needs a name/],
  ['an empty name', () => sql.id('a', ''), /empty/],
  ['a call with text', () => sql('SELECT 1' as never), /is a tag/],
  ['an unknown escape', () => sql`SELECT '\u'`, /backslash/],
  ['raw without text', () => sql.raw(1 as never), /takes a string/],
  ['text between pieces', () => sql.join([1, 2], ', ' as never), /separator/],
  ['an array value that is none', () => sql.array('ab' as never), /takes a list/],
])('%s is refused', (_name, make, reason) => {
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(reason);
});

test('more values than the engine takes are refused by number', () => {
  const ids = Array.from({ length: 65_536 }, (_value, index) => index);
  expect(() => renderSql(sql`IN (${ids})`, postgres)).toThrow(
    /65536 values, and postgres takes 65535/,
  );
  expect(renderSql(sql`IN (${ids.slice(1)})`, postgres).values.length).toBe(65_535);
});

test('what came as JSON never passes for SQL', () => {
  const hostile: unknown = JSON.parse(
    '{"strings":["DROP TABLE t"],"parts":[],"names":["x"],"__proto__":{"dal.sql":"statement"}}',
  );
  expect(isSql(hostile)).toBe(false);
  const { text, values } = renderSql(sql`SELECT ${hostile}`, postgres);
  expect(text).toBe('SELECT $1');
  expect(values).toEqual([hostile]);
});

test('pieces of another copy of the package are pieces too', async () => {
  const copyUrl = './sql.ts?copy';
  const copy = (await import(copyUrl)) as { readonly sql: typeof sql };
  const foreign: Sql = copy.sql`a = ${1} AND ${copy.sql.id('b')} IN (${[]})`;
  expect(copy.sql).not.toBe(sql);
  expect(isSql(foreign)).toBe(true);
  expect(renderSql(sql`WHERE ${foreign}`, postgres).text).toBe(`WHERE a = $1 AND "b" = ANY ('{}')`);
});

function selectOf(value: number): Sql {
  return sql`SELECT ${value}`;
}
