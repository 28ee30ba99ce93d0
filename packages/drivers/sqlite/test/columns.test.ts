// A prepared statement whose columns another process changed: names and types must follow at once.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { connect, newFile, run, type SqliteSession } from './sessions.ts';

describe.each(['inline', 'process'] as const)('%s', (runsIn) => {
  async function two(): Promise<[mine: SqliteSession, other: SqliteSession]> {
    const path = newFile();
    const sessions: [SqliteSession, SqliteSession] = [
      await connect({ path, runsIn }),
      await connect({ path }),
    ];
    await run(sessions[0], 'CREATE TABLE t (a TEXT, b TEXT)');
    await run(sessions[0], "INSERT INTO t VALUES ('1', '0')");
    return sessions;
  }

  test.each(['object', 'array'] as const)('names follow in rows that are %ss', async (mode) => {
    const [mine, other] = await two();
    const read = async (): Promise<unknown> => {
      const text = 'SELECT * FROM t';
      const rowMode = mode === 'array' ? mode : undefined;
      const { rows, columns } = await mine.query({ text, values: [], rowMode });
      if (mode === 'object') return rows[0];
      const [row] = rows as [unknown[]];
      return Object.fromEntries(columns.map(({ name }, index) => [name, row[index]]));
    };
    expect(await read()).toEqual({ a: '1', b: '0' });
    await run(other, 'ALTER TABLE t RENAME COLUMN b TO c');
    expect(await read()).toEqual({ a: '1', c: '0' });
    // As many columns as before, and the names change places.
    await run(other, 'ALTER TABLE t RENAME COLUMN a TO x');
    await run(other, 'ALTER TABLE t RENAME COLUMN c TO a');
    await run(other, 'ALTER TABLE t RENAME COLUMN x TO c');
    expect(await read()).toEqual({ c: '1', a: '0' });
    await run(other, 'ALTER TABLE t ADD COLUMN d BOOLEAN DEFAULT 1');
    expect(await read()).toEqual({ c: '1', a: '0', d: true });
    await run(mine, 'ALTER TABLE t DROP COLUMN a');
    expect(await read()).toEqual({ c: '1', d: true });
  });

  test('names are told for an answer without rows, too', async () => {
    const [mine, other] = await two();
    const names = async (): Promise<string[]> => {
      const { columns } = await run(mine, 'SELECT * FROM t WHERE a IS NULL');
      return columns.map(({ name }) => name);
    };
    expect(await names()).toEqual(['a', 'b']);
    await run(other, 'ALTER TABLE t RENAME COLUMN b TO c');
    expect(await names()).toEqual(['a', 'c']);
  });

  test('a type that changed while the name stayed is seen after a millisecond', async () => {
    const [mine, other] = await two();
    const read = async (): Promise<unknown[]> => (await run(mine, 'SELECT * FROM flag')).rows;
    await run(other, 'CREATE TABLE flag (a INTEGER)');
    await run(other, 'INSERT INTO flag VALUES (1)');
    expect(await read()).toEqual([{ a: 1 }]);
    await run(other, 'DROP TABLE flag');
    await run(other, 'CREATE TABLE flag (a BOOLEAN)');
    await run(other, 'INSERT INTO flag VALUES (1)');
    await sleep(2);
    expect(await read()).toEqual([{ a: true }]);
    await run(mine, 'DROP TABLE flag');
    await run(mine, 'CREATE TABLE flag (a DECIMAL)');
    await run(mine, 'INSERT INTO flag VALUES (1)');
    expect(await read()).toEqual([{ a: '1' }]);
  });

  test('a table that a transaction made and lost is described anew', async () => {
    const [mine] = await two();
    for (const type of ['BOOLEAN', 'INTEGER', 'BOOLEAN']) {
      await run(mine, 'BEGIN IMMEDIATE');
      await run(mine, `CREATE TABLE u (a ${type})`);
      await run(mine, 'INSERT INTO u VALUES (1)');
      const expected = type === 'BOOLEAN' ? true : 1;
      expect((await run(mine, 'SELECT * FROM u')).rows).toEqual([{ a: expected }]);
      await run(mine, 'ROLLBACK');
    }
  });

  test('odd names are names', async () => {
    const [mine] = await two();
    const text =
      'SELECT 1 AS "2", 2 AS "1", 3 AS same, 4 AS same, 5 AS "__proto__", 6 AS "a""b", 7 AS "c\\"';
    for (let turn = 0; turn < 2; turn++) {
      const { rows, columns } = await run(mine, text);
      const [row] = rows as [object];
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
      expect(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1))).toEqual([
        ['1', 2],
        ['2', 1],
        ['__proto__', 5],
        ['a"b', 6],
        ['c\\', 7],
        ['same', 4],
      ]);
      expect(columns.map(({ name }) => name)).toEqual([
        '2',
        '1',
        'same',
        'same',
        '__proto__',
        'a"b',
        'c\\',
      ]);
    }
    await run(mine, 'CREATE TABLE p ("__proto__" INTEGER, z INTEGER)');
    const inserted = await run(mine, 'INSERT INTO p VALUES (7, 8) RETURNING *');
    expect(Object.entries(inserted.rows[0] as object)).toEqual([
      ['__proto__', 7],
      ['z', 8],
    ]);
  });
});

describe('within the millisecond in which the schema is not asked for', () => {
  async function two(): Promise<[mine: SqliteSession, other: SqliteSession]> {
    const path = newFile();
    const mine = await connect({ path, runsIn: 'inline' });
    const other = await connect({ path, runsIn: 'inline' });
    await run(other, 'CREATE TABLE t (a TEXT, b TEXT)');
    await run(other, "INSERT INTO t VALUES ('1', '0')");
    for (let turn = 0; turn < 2; turn++) await run(mine, 'SELECT * FROM t');
    const now = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(now);
    onTestFinished(() => void vi.restoreAllMocks());
    await run(mine, 'SELECT * FROM t');
    return [mine, other];
  }

  test('rows and columns have the names that SQLite has', async () => {
    const [mine, other] = await two();
    await run(other, 'ALTER TABLE t RENAME COLUMN b TO c');
    const { rows, columns } = await run(mine, 'SELECT * FROM t');
    expect(rows).toEqual([{ a: '1', c: '0' }]);
    expect(columns.map(({ name }) => name)).toEqual(['a', 'c']);
  });

  test('so have arrays', async () => {
    const [mine, other] = await two();
    const read = () => mine.query({ text: 'SELECT * FROM t', values: [], rowMode: 'array' });
    for (let turn = 0; turn < 2; turn++) await read();
    await run(other, 'ALTER TABLE t RENAME COLUMN a TO x');
    await run(other, 'ALTER TABLE t RENAME COLUMN b TO a');
    await run(other, 'ALTER TABLE t ADD COLUMN ok BOOLEAN DEFAULT 1');
    const { rows, columns } = await read();
    expect(columns.map(({ name }) => name)).toEqual(['x', 'a', 'ok']);
    expect(rows).toEqual([['1', '0', true]]);
  });

  test('another file that is attached has names of its own', async () => {
    const [mine, other] = await two();
    const path = newFile();
    const third = await connect({ path, runsIn: 'inline' });
    await run(third, 'CREATE TABLE far (n BOOLEAN)');
    await run(third, 'INSERT INTO far VALUES (1)');
    await run(mine, `ATTACH '${path}' AS beside`);
    const read = async (rowMode?: 'array') =>
      (await mine.query({ text: 'SELECT * FROM beside.far', values: [], rowMode })).rows;
    expect(await read()).toEqual([{ n: true }]);
    expect(await read('array')).toEqual([[true]]);
    await run(third, 'DROP TABLE far');
    await run(third, 'CREATE TABLE far (n INTEGER)');
    await run(third, 'INSERT INTO far VALUES (1)');
    expect(await read()).toEqual([{ n: 1 }]);
    expect(await read('array')).toEqual([[1]]);
    await run(other, 'SELECT 1');
  });
});
