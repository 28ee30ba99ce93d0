import type { DriverConnection, Fault, LoadBatch } from '@dal/core';
import type { Connection } from 'mysql2';
import { expect, test } from 'vitest';
import { mysqlDriver } from '../src/mysql-driver.ts';

type Session = DriverConnection<Connection>;

/** LOAD DATA LOCAL on a server that allows it: the same rows as by INSERT, or none. */
export function loadTests(open: (options?: object) => Promise<Session>): void {
  const table = 'load_target';
  const run = (session: Session, text: string, ...values: unknown[]) =>
    session.query({ text, values });

  async function loaded(
    session: Session,
    columns: readonly string[],
    batches: AsyncIterable<LoadBatch>,
  ): Promise<number> {
    await run(session, 'START TRANSACTION');
    try {
      const rows = await session.load!({ table: [table], columns }, batches);
      await run(session, 'COMMIT');
      return rows;
    } catch (error) {
      if (session.status!() === 'transaction') await run(session, 'ROLLBACK');
      throw error;
    }
  }

  async function make(session: Session, columns: string): Promise<void> {
    await run(session, `DROP TABLE IF EXISTS ${table}`);
    await run(session, `CREATE TABLE ${table} (${columns}) ENGINE=InnoDB`);
  }

  test('every kind of value arrives as by INSERT, whatever sql_mode says', async () => {
    const session = await open({ localInfile: true });
    const types = {
      id: 'INT PRIMARY KEY',
      word: 'TEXT',
      bytes: 'VARBINARY(300)',
      doc: 'JSON',
      day: 'DATE',
      stamp: 'DATETIME(6)',
      exact: 'DECIMAL(30,10)',
      big: 'BIGINT',
      ubig: 'BIGINT UNSIGNED',
      wide: 'DOUBLE',
      flag: 'BOOLEAN',
      bits: 'BIT(12)',
      latin: 'VARCHAR(20) CHARACTER SET latin1',
      born: 'YEAR',
      clock: 'TIME(3)',
    };
    const names = Object.keys(types);
    const definitions = Object.entries(types)
      .map((column) => column.join(' '))
      .join();
    const allBytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    const words = [
      '\t',
      '\n',
      '\r\n',
      '\\',
      '\\N',
      'NULL',
      '',
      '\0',
      '\'"`',
      '\u{1F600}ä',
      'a\\',
      '\\\tb',
    ];
    const rows = words.map((word, id) => [
      id,
      `${word}${word}`,
      id === 0 ? allBytes : Buffer.from(word),
      JSON.stringify({ [word]: [word, null, 1.5] }),
      id === 1 ? null : '2024-02-29',
      new Date(Date.UTC(2024, 1, 29, 23, 59, 59, id)),
      `${id}.0123456789`,
      id === 2 ? -(2n ** 63n) : 9_007_199_254_740_993n,
      2n ** 64n - 1n,
      id === 3 ? 1e-300 : 0.1 + 0.2,
      id % 2 === 0,
      id === 4 ? Buffer.from([15, 255]) : id,
      id === 5 ? null : 'äöü',
      2024,
      '-01:02:03.500',
    ]);
    for (const mode of [
      '@@global.sql_mode',
      "'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,STRICT_ALL_TABLES'",
    ]) {
      await run(session, `SET sql_mode = ${mode}`);
      await make(session, definitions);
      const insert = `INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()})`;
      for (const row of rows) await run(session, insert, ...row);
      const expected = (await run(session, `SELECT * FROM ${table} ORDER BY id`)).rows;
      expect(expected).toHaveLength(words.length);
      await run(session, `DELETE FROM ${table}`);
      expect(await loaded(session, names, inBatches(rows, 5))).toBe(words.length);
      expect((await run(session, `SELECT * FROM ${table} ORDER BY id`)).rows).toEqual(expected);
    }
    // Bytes of one user are not left to the next one of the session.
    expect((await run(session, 'SELECT @dal_load_2 AS bytes')).rows).toEqual([{ bytes: null }]);
  });

  test('100,000 rows, names with quotes, ids that the server counts', async () => {
    const session = await open({ localInfile: true });
    await make(session, 'id INT AUTO_INCREMENT PRIMARY KEY, `a``b "c` VARCHAR(40)');
    const rows = Array.from({ length: 100_000 }, (_, n) => [null, `row ${n}`]);
    expect(await loaded(session, ['id', 'a`b "c'], inBatches(rows, 1_000))).toBe(100_000);
    const { rows: counted } = await run(
      await open(),
      `SELECT COUNT(*) AS n, MAX(id) AS top, COUNT(DISTINCT \`a\`\`b "c\`) AS words FROM ${table}`,
    );
    expect(counted).toEqual([{ n: 100_000, top: 100_000, words: 100_000 }]);
  });

  test.each<[string, unknown[][], Partial<Fault>]>([
    [
      'a duplicate',
      [
        [1, 'a'],
        [2, 'b'],
        [1, 'c'],
      ],
      { kind: 'unique', code: '1062' },
    ],
    [
      'a text that is too long',
      [
        [1, 'a'],
        [2, 'much too long'],
      ],
      { kind: 'data' },
    ],
    [
      'a NULL',
      [
        [1, 'a'],
        [2, null],
      ],
      { kind: 'notNull' },
    ],
    ['a text for a number', [['x', 'a']], { kind: 'data' }],
    ['an empty text for a number', [['', 'a']], { kind: 'data' }],
    [
      'a broken rule',
      [
        [1, 'a'],
        [-2, 'b'],
      ],
      { kind: 'check' },
    ],
    [
      'an object',
      [
        [1, 'a'],
        [2, { a: 1 }],
      ],
      { kind: 'data' },
    ],
    ['a row that is too short', [[1, 'a'], [2]], { kind: 'data' }],
  ])('%s is an error, and nothing of the load stays', async (_what, rows, fault) => {
    const session = await open({ localInfile: true });
    await make(session, 'id INT PRIMARY KEY CHECK (id > -1), word VARCHAR(5) NOT NULL');
    const error: unknown = await loaded(session, ['id', 'word'], inBatches(rows, 2)).catch(
      (thrown: unknown) => thrown,
    );
    expect(mysqlDriver.classify(error)).toMatchObject({ applied: 'no', ...fault });
    expect((await run(await open(), `SELECT * FROM ${table}`)).rows).toEqual([]);
    expect((await run(session, 'SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  test('a source that fails, and one that stands still and is cancelled, leave nothing', async () => {
    const session = await open({ localInfile: true });
    await make(session, 'id INT PRIMARY KEY');
    let ended = 0;
    async function* source(end: () => Promise<never>): AsyncGenerator<LoadBatch> {
      try {
        yield Array.from({ length: 20_000 }, (_, id) => [id]);
        await end();
      } finally {
        ended++;
      }
    }
    const failing = source(() => Promise.reject(new Error('mine')));
    await expect(loaded(session, ['id'], failing)).rejects.toThrow('mine');
    const still = source(() => new Promise(() => undefined));
    const loading = faultOf(loaded(session, ['id'], still));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await session.cancel!();
    expect(await loading).toMatchObject({ kind: 'cancelled', applied: 'no' });
    expect(ended).toBe(1);
    expect((await run(await open(), `SELECT * FROM ${table}`)).rows).toEqual([]);
    expect((await run(session, 'SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  test('a session that dies under a load ends it with an error', async () => {
    const [session, admin] = [await open({ localInfile: true }), await open()];
    await make(session, 'id INT PRIMARY KEY');
    let ended = false;
    async function* source(): AsyncGenerator<LoadBatch> {
      try {
        for (let id = 0; id < 10_000_000; id++) {
          if (id === 50_000) await admin.kill!(session.id!);
          yield [[id]];
        }
      } finally {
        ended = true;
      }
    }
    expect(await faultOf(loaded(session, ['id'], source()))).toMatchObject({
      connectionLost: true,
    });
    await expect.poll(() => ended).toBe(true);
    expect((await run(admin, `SELECT * FROM ${table}`)).rows).toEqual([]);
  });

  test('a table with an ENUM is left to INSERT before a row is asked for', async () => {
    const session = await open({ localInfile: true });
    await make(session, "word ENUM('1', '2')");
    const error: unknown = await loaded(session, ['word'], never()).catch((thrown) => thrown);
    expect(error).toMatchObject({ loadRefused: true });
  });

  test('no statement but our own gets a file, and none comes from the disk', async () => {
    const session = await open({ localInfile: true });
    await make(session, 'line TEXT');
    for (const values of [[], [1]]) {
      const text = `LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE ${table}${values.length > 0 ? ' IGNORE ? LINES' : ''}`;
      expect(await faultOf(run(session, text, ...values))).toMatchObject({ applied: 'no' });
    }
    expect((await run(session, `SELECT * FROM ${table}`)).rows).toEqual([]);
    expect((await open()).load).toBeUndefined();
  });

  test('a server that forbids it is asked once, and INSERT does the work', async () => {
    const [session, admin] = [await open({ localInfile: true }), await open()];
    await make(session, 'id INT');
    await run(admin, 'SET GLOBAL local_infile = OFF');
    try {
      const fresh = await open({ localInfile: true });
      const error: unknown = await loaded(fresh, ['id'], never()).catch((thrown) => thrown);
      expect(error).toMatchObject({ loadRefused: true });
      expect(fresh.load).toBeUndefined();
    } finally {
      await run(admin, 'SET GLOBAL local_infile = ON');
    }
  });
}

async function* inBatches(
  rows: readonly (readonly unknown[])[],
  size: number,
): AsyncGenerator<LoadBatch> {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}

async function* never(): AsyncGenerator<LoadBatch> {
  yield await Promise.reject<LoadBatch>(new Error('A row was asked for.'));
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    return mysqlDriver.classify(error);
  }
  throw new Error('Nothing failed.');
}
