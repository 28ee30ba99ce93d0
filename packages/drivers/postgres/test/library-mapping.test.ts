import { Client, types } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { postgres } from '../src/index.ts';

// Where local time and UTC are the same, half of the mistakes don't show.
process.env['TZ'] = 'America/New_York';

const { url } = inject('engines').find((engine) => engine.name === 'postgres')!;
const db = postgres(url);
const client = new Client(url);
const library = { placeholders: 'native', mapping: 'library' } as const;

/** Every usual type, with what a program that was written for `pg` gives it. */
const columns: readonly (readonly [type: string, value: unknown])[] = [
  ['bool', true],
  ['int2', -7],
  ['int4', 70_000],
  ['int8', 9_007_199_254_740_993n],
  ['oid', 26],
  ['numeric(20,6)', '12345678901234.567890'],
  ['float4', 0.1],
  ['float8', 1e-7],
  ['text', 'Grüße, "\\'],
  ['varchar(10)', 5],
  ['char(5)', 'ab'],
  ['bytea', Buffer.from([0, 255, 92])],
  ['date', new Date(2024, 1, 29, 12)],
  ['time', '10:11:12.5'],
  ['timestamp', new Date(2024, 1, 29, 12, 34, 56, 789)],
  ['timestamptz', new Date(2024, 1, 29, 12, 34, 56, 789)],
  ['interval', '1 day 2 hours'],
  ['json', { a: [1, { b: null }] }],
  ['jsonb', { when: new Date(0) }],
  ['uuid', 'c5e7bf4e-6a0e-4a4d-9d2c-1e5c1d1f2a3b'],
  ['inet', '10.0.0.1/8'],
  ['point', '(1.5,2)'],
  ['int4[]', [1, null, 3]],
  ['text[]', ['a,b', '"', null]],
  ['timestamptz[]', [new Date(0)]],
  ['int4range', '[1,5)'],
  ['text', { toPostgres: () => 'from toPostgres' }],
  ['text', undefined],
];
const names = columns.map((_, index) => `c${index}`);
const marks = names.map((_, index) => `$${index + 1}`);
const insert = `INSERT INTO library_types (${names.join(', ')}) VALUES (${marks.join(', ')}) RETURNING *`;
const values = columns.map(([, value]) => value);

beforeAll(async () => {
  await client.connect();
  // What both sessions are told the same: the layer's are always in UTC.
  await client.query("SET TIME ZONE 'UTC'");
  await client.query('DROP TABLE IF EXISTS library_types');
  const typed = columns.map(([type], index) => `c${index} ${type}`);
  await client.query(`CREATE TABLE library_types (id serial PRIMARY KEY, ${typed.join(', ')})`);
});

afterAll(async () => {
  await client.query('DROP TABLE library_types');
  await Promise.all([client.end(), db.close()]);
});

/** What `pg` documents of its results. */
function documented(result: object): unknown {
  const { command, rowCount, oid, rows, fields, rowAsArray } = result as Record<string, unknown>;
  return { command, rowCount, oid, rows, fields, rowAsArray };
}

const withoutId = (rows: readonly object[]): object[] => rows.map((row) => ({ ...row, id: 0 }));

test('local time is not UTC here', () => {
  expect(new Date(2024, 1, 29).getTimezoneOffset()).toBe(300);
});

test('both write the same, and read the same of what the other wrote', async () => {
  const theirs = await client.query(insert, values);
  // The third time it has a name, and the columns are known.
  for (let round = 0; round < 3; round++) {
    const ours = await db.query(insert, values, library);
    expect(withoutId(ours)).toEqual(withoutId(theirs.rows));
  }
  const text = 'SELECT * FROM library_types WHERE id > $1 ORDER BY id';
  for (let round = 0; round < 3; round++) {
    const { library: answer } = await db.execute(text, [0], library);
    expect(answer).toEqual(documented(await client.query(text, [0])));
  }
  const asArrays = await db.execute(text, [0], { ...library, rowMode: 'array' });
  const query = { text, values: [0], rowMode: 'array' };
  expect(asArrays.library).toEqual(documented(await client.query(query)));
});

test('executeMany and stream have the same mapping', async () => {
  await db.executeMany(insert, [values, values], library);
  const text = 'SELECT * FROM library_types ORDER BY id DESC LIMIT 2';
  const { rows } = await client.query(text);
  for await (const batch of db.stream(text, [], library)) expect(batch).toEqual(rows);
  expect(withoutId(rows)[0]).toEqual(withoutId((await client.query(insert, values)).rows)[0]);
});

test.for(['INSERT INTO library_types (c1) VALUES (1), (2)', 'SET lock_timeout = 0', '', 'BEGIN'])(
  'the answer to %s',
  async (text) => {
    const { library: answer } = await db.execute(text, [], library);
    expect(answer).toEqual(documented(await client.query(text)));
    await client.query('ROLLBACK');
  },
);

test('one text alternates between the mappings, prepared and all', async () => {
  const text = 'SELECT 9007199254740993::int8 AS big, $1::date AS day';
  const own = { placeholders: 'native' } as const;
  for (let round = 0; round < 4; round++) {
    expect(await db.query(text, ['2024-02-29'], own)).toEqual([
      { big: 9_007_199_254_740_993n, day: '2024-02-29' },
    ]);
    expect(await db.query(text, ['2024-02-29'], library)).toEqual([
      { big: '9007199254740993', day: new Date(2024, 1, 29) },
    ]);
  }
});

test('the parsers that a program sets, or gives with a statement, are used', async () => {
  const INT8 = 20;
  const before = types.getTypeParser(INT8);
  const text = 'SELECT 5::int8 AS five, $1::int4 AS one';
  for (let round = 0; round < 3; round++) await db.query(text, [1], library);
  types.setTypeParser(INT8, BigInt);
  try {
    expect(await db.query(text, [1], library)).toEqual([{ five: 5n, one: 1 }]);
  } finally {
    types.setTypeParser(INT8, before);
  }
  const libraryOptions = { types: { getTypeParser: () => (told: string) => `<${told}>` } };
  const answer = await db.query(text, [1], { ...library, libraryOptions });
  expect(answer).toEqual([{ five: '<5>', one: '<1>' }]);
  expect(await db.query(text, [1], library)).toEqual([{ five: '5', one: 1 }]);
  await expect(
    db.query(text, [1], { ...library, libraryOptions: { types: {} } }),
  ).rejects.toMatchObject({ code: 'DAL_CONFIG_VALUE' });
});

test('several statements in one text, when that is asked for', async () => {
  const simple = { ...library, libraryOptions: { queryMode: 'simple' } };
  const text =
    "CREATE TEMP TABLE several (a int); INSERT INTO several VALUES (1), (2); SELECT 'x' AS x";
  await using connection = await db.acquire();
  const { library: answer, affectedRows } = await connection.execute(text, [], simple);
  const theirs = (await client.query(text)) as unknown as object[];
  expect(answer).toEqual(theirs.map(documented));
  expect(affectedRows).toBe(2);
  // All or nothing, and the session goes on.
  const failing = 'INSERT INTO several VALUES (3); SELECT 1/0';
  await expect(connection.execute(failing, [], simple)).rejects.toMatchObject({ kind: 'data' });
  expect(await connection.queryValue('SELECT count(*)::int FROM several')).toBe(2);
  await expect(connection.execute('COPY several FROM STDIN', [], simple)).rejects.toThrow('COPY');
  expect(await connection.queryValue('SELECT 1')).toBe(1);
  await expect(connection.execute('SELECT 1; SELECT 2', [], library)).rejects.toThrow('multiple');
  await expect(connection.execute('SELECT $1', [1], simple)).rejects.toThrow('no place for values');
});
