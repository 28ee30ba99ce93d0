import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Library from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sqlite } from '../src/index.ts';

const library = { mapping: 'library' } as const;
const folder = mkdtempSync(join(tmpdir(), 'dal-library-'));

/** Every usual type, with what a program that was written for better-sqlite3 gives it. */
const columns: readonly (readonly [type: string, value: unknown])[] = [
  ['INTEGER', 7],
  ['BIGINT', 9_007_199_254_740_993n],
  ['BOOLEAN', 1],
  ['REAL', 0.1],
  ['REAL', -0],
  ['REAL', Infinity],
  ['DECIMAL(10,2)', '1.20'],
  ['TEXT', 'Grüße, "\\'],
  ['TEXT', 5],
  ['JSON', '{"a":1}'],
  ['TIMESTAMP', '2024-02-29 12:34:56'],
  ['DATE', '2024-02-29'],
  ['BLOB', Buffer.from([0, 255, 92])],
  ['TEXT', null],
];
const names = columns.map((_, index) => `c${index}`);
const insert = `INSERT INTO library_types (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
const values = columns.map(([, value]) => value);

afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['process', 'inline'] as const)('%s', (runsIn) => {
  const path = join(folder, `${runsIn}.db`);
  const db = sqlite({ path, runsIn });
  const theirs = new Library(path);

  beforeAll(() => {
    const typed = columns.map(([type], index) => `c${index} ${type}`);
    theirs.exec(`CREATE TABLE library_types (id INTEGER PRIMARY KEY, ${typed.join(', ')})`);
  });

  afterAll(async () => {
    await db.close();
    theirs.close();
  });

  test('safeIntegers tells whole numbers from REAL, for one statement', async () => {
    const text = 'SELECT 2 AS whole, 2.0 AS broken, 9007199254740993 AS big';
    const bigints = { ...library, libraryOptions: { safeIntegers: true } };
    for (const [options, safe] of [
      [library, false],
      [bigints, true],
      [library, false],
    ] as const) {
      const { rows } = await db.execute(text, [], options);
      expect(rows).toEqual(theirs.prepare(text).safeIntegers(safe).all());
      for await (const row of db.stream(text, [], options).rows()) expect([row]).toEqual(rows);
    }
  });

  test('both write the same, and read the same of what the other wrote', async () => {
    const { changes, lastInsertRowid } = theirs.prepare(insert).run(values);
    for (let round = 0; round < 3; round++) {
      const { library: answer } = await db.execute(insert, values, library);
      expect(answer).toEqual({ changes, lastInsertRowid: Number(lastInsertRowid) + 1 + round });
    }
    const text = 'SELECT * FROM library_types WHERE id > ? ORDER BY id';
    const rows = theirs.prepare(text).all(0) as object[];
    for (const row of rows) expect({ ...row, id: 1 }).toEqual(rows[0]);
    for (let round = 0; round < 3; round++) {
      const { library: answer } = await db.execute(text, [0], library);
      expect(answer).toEqual(rows);
    }
    const lists = theirs.prepare(text).raw().all(0);
    expect(await db.query(text, [0], { ...library, rowMode: 'array' })).toEqual(lists);
    const changed = theirs.prepare('UPDATE library_types SET c0 = 8').run();
    const update = await db.execute('UPDATE library_types SET c0 = 8', [], library);
    expect(update.library).toEqual({ ...changed, lastInsertRowid: 4 });
  });

  test('executeMany and stream have the same mapping', async () => {
    await db.executeMany(insert, [values, values], library);
    const rows = theirs.prepare('SELECT * FROM library_types ORDER BY id').all();
    const streamed: unknown[] = [];
    const text = 'SELECT * FROM library_types ORDER BY id';
    for await (const row of db.stream(text, [], { ...library, batchSize: 2 }).rows()) {
      streamed.push(row);
    }
    expect(streamed).toEqual(rows);
    expect(streamed).toHaveLength(6);
  });

  test('one text alternates between the mappings', async () => {
    const text = 'SELECT c1, c2, c9 FROM library_types LIMIT 1';
    for (let round = 0; round < 4; round++) {
      expect(await db.query(text)).toEqual([
        { c1: 9_007_199_254_740_993n, c2: true, c9: { a: 1 } },
      ]);
      expect(await db.query(text, [], library)).toEqual(theirs.prepare(text).all());
    }
  });

  test.each([[true], [undefined], [new Date(0)], [{ a: 1 }], [[1]]])(
    'what the library can’t bind is refused in its words: %j',
    async (value) => {
      const refused = db.query('SELECT ?', [value], library);
      await expect(refused).rejects.toMatchObject({ cause: expect.any(TypeError) });
      await expect(refused).rejects.toThrow('SQLite3 can only bind');
      expect(await db.queryValue('SELECT 1')).toBe(1);
    },
  );
});
