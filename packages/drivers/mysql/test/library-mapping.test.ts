import { type Connection, createConnection, type ResultSetHeader } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { mysql } from '../src/index.ts';

// Where local time and UTC are the same, half of the mistakes don't show.
process.env['TZ'] = 'America/New_York';

const library = { mapping: 'library' } as const;

/** Every usual type, with what a program that was written for mysql2 gives it. */
const columns: readonly (readonly [type: string, value: unknown])[] = [
  ['TINYINT(1)', true],
  ['SMALLINT', -7],
  ['INT UNSIGNED', 4_000_000_000],
  ['BIGINT', 9_007_199_254_740_993n],
  ['DECIMAL(20,6)', '12345678901234.567890'],
  ['DOUBLE', 1e-7],
  ['VARCHAR(20)', 'Grüße, "\\'],
  ['VARCHAR(20)', 5.5],
  ['TEXT', 'long'],
  ['BLOB', Buffer.from([0, 255, 92])],
  ['DATE', '2024-02-29'],
  ['DATETIME(3)', new Date(2024, 1, 29, 12, 34, 56, 789)],
  ['TIMESTAMP(3) NULL', new Date(2024, 1, 29, 12, 34, 56, 789)],
  ['TIME', '10:11:12'],
  ['YEAR', 2024],
  ['JSON', { a: [1, { b: null }] }],
  ['JSON', [1, 'x']],
  ['JSON', { when: new Date(0) }],
  ["ENUM('a','b')", 'b'],
  ["SET('a','b')", 'a,b'],
  ['BIT(4)', 5],
  ['POINT', null],
];
const names = columns.map((_, index) => `c${index}`);
const insert = `INSERT INTO library_types (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
const values = columns.map(([, value]) => value);

const servers = inject('engines').filter(({ name }) => name === 'mysql' || name === 'mariadb');

describe.each(servers)('$name', ({ url }) => {
  const db = mysql(url);
  let client: Connection;

  beforeAll(async () => {
    client = await createConnection(url.replace(/^mariadb:/, 'mysql:'));
    // What both sessions are told the same: the layer's are always in UTC.
    await client.query("SET time_zone = '+00:00'");
    await client.query('DROP TABLE IF EXISTS library_types');
    const typed = columns.map(([type], index) => `c${index} ${type}`);
    await client.query(
      `CREATE TABLE library_types (id INT AUTO_INCREMENT PRIMARY KEY, ${typed.join(', ')})`,
    );
  });

  afterAll(async () => {
    await client.query('DROP TABLE library_types');
    await Promise.all([client.end(), db.close()]);
  });

  test('local time is not UTC here', () => {
    expect(new Date(2024, 1, 29).getTimezoneOffset()).toBe(300);
  });

  test('both write the same, and read the same of what the other wrote', async () => {
    const [header] = await client.execute<ResultSetHeader>(insert, values as string[]);
    for (let round = 0; round < 3; round++) {
      const { library: answer } = await db.execute(insert, values, library);
      const [ours] = answer as [object];
      const insertId = header.insertId + 1 + round;
      expect(ours).toEqual({ ...header, insertId });
    }
    const written = `SELECT ${names.join(', ')} FROM library_types`;
    const [rows] = (await client.query(written)) as unknown as [object[]];
    expect(rows).toHaveLength(4);
    for (const row of rows) expect(row).toEqual(rows[0]);

    const all = 'SELECT * FROM library_types ORDER BY id';
    const [theirs, fields] = (await client.query(all)) as unknown as [object[], object[]];
    const { library: answer } = await db.execute(all, [], library);
    const [ourRows, ourFields] = answer as [object[], object[]];
    expect(ourRows).toEqual(theirs);
    expect(ourFields.map(described)).toEqual(fields.map(described));
  });

  test('with values, by the binary protocol, objects and lists', async () => {
    const text = 'SELECT * FROM library_types WHERE id > ? ORDER BY id';
    const [theirs] = await client.execute(text, [0]);
    for (let round = 0; round < 3; round++)
      expect(await db.query(text, [0], library)).toEqual(theirs);
    const [lists] = await client.execute({ sql: text, rowsAsArray: true }, [0]);
    expect(await db.query(text, [0], { ...library, rowMode: 'array' })).toEqual(lists);
  });

  test('executeMany and stream have the same mapping', async () => {
    await db.executeMany(insert, [values, values], library);
    const text = 'SELECT * FROM library_types ORDER BY id';
    const [theirs] = await client.query(text);
    const byText: unknown[] = [];
    for await (const row of db.stream(text, [], library).rows()) byText.push(row);
    expect(byText).toEqual(theirs);
    const binary = 'SELECT * FROM library_types WHERE id > ? ORDER BY id';
    const byExecute: unknown[] = [];
    const stream = db.stream(binary, [0], { ...library, batchSize: 2 });
    for await (const row of stream.rows()) byExecute.push(row);
    expect(byExecute).toEqual((await client.execute(binary, [0]))[0]);
  });

  test('one text alternates between the mappings, prepared and all', async () => {
    const text = 'SELECT CAST(9007199254740993 AS SIGNED) AS big, CAST(? AS DATE) AS day';
    for (let round = 0; round < 4; round++) {
      expect(await db.query(text, ['2024-02-29'])).toEqual([
        { big: 9_007_199_254_740_993n, day: '2024-02-29' },
      ]);
      expect(await db.query(text, ['2024-02-29'], library)).toEqual([
        { big: 9_007_199_254_740_992, day: new Date(2024, 1, 29) },
      ]);
    }
  });

  test.each([
    [{ dateStrings: true }],
    [{ nestTables: true }],
    [{ nestTables: '_' }],
    [{ supportBigNumbers: true, bigNumberStrings: true }],
    [{ typeCast: false }],
    [
      {
        typeCast: (field: { type: string; string(): string }, next: () => unknown) =>
          field.type === 'DATETIME' ? field.string() : next(),
      },
    ],
  ])('the options of a statement: %j', async (libraryOptions) => {
    const text = 'SELECT id, c3, c10, c11 FROM library_types ORDER BY id LIMIT 2';
    const [theirs] = await client.query({ sql: text, ...libraryOptions } as never);
    expect(await db.query(text, [], { ...library, libraryOptions })).toEqual(theirs);
    const binary = 'SELECT id, c3, c10, c11 FROM library_types WHERE id > ? ORDER BY id';
    const [executed] = await client.execute({ sql: binary, ...libraryOptions } as never, [1]);
    expect(await db.query(binary, [1], { ...library, libraryOptions })).toEqual(executed);
  });

  test('a procedure with several results, and the state behind it', async () => {
    await client.query('DROP PROCEDURE IF EXISTS library_several');
    await client.query(
      'CREATE PROCEDURE library_several() BEGIN SELECT 1 AS a; SELECT 2 AS b; END',
    );
    const [theirs] = await client.query('CALL library_several()');
    const { library: answer, rows } = await db.execute('CALL library_several()', [], library);
    const [ours] = answer as [unknown[]];
    expect(ours.slice(0, 2)).toEqual((theirs as unknown[]).slice(0, 2));
    expect(rows).toEqual([{ a: 1 }]);
    await client.query('DROP PROCEDURE library_several');
    await using connection = await db.acquire();
    await connection.execute('BEGIN', [], library);
    expect(connection.inTransaction).toBe(true);
    await connection.execute('UPDATE library_types SET c1 = ?', [3], library);
    expect(connection.inTransaction).toBe(true);
    await connection.execute('ROLLBACK', [], library);
    expect(connection.inTransaction).toBe(false);
  });

  test('errors are judged as ever, and the session goes on', async () => {
    await using connection = await db.acquire();
    await expect(connection.query('SELCT', [], library)).rejects.toMatchObject({ kind: 'syntax' });
    await expect(connection.query('SELECT ?', [], library)).rejects.toMatchObject({
      code: 'DAL_VALUE_COUNT',
    });
    await expect(
      connection.query('SELECT nothing FROM library_types WHERE id = ?', [1], library),
    ).rejects.toMatchObject({ kind: 'schema' });
    expect(await connection.queryValue('SELECT 1')).toBe(1);
    expect(await connection.query('SELECT ? AS n', [undefined], library)).toEqual([{ n: null }]);
  });
});

/** What a program may ask of a field; its buffers are the connection's own. */
function described(field: object): unknown {
  const { name, type, columnType, columnLength, flags, decimals, table, orgTable, schema } =
    field as Record<string, unknown>;
  return { name, type, columnType, columnLength, flags, decimals, table, orgTable, schema };
}
