import assert from 'node:assert/strict';
import { json, type ColumnTypes } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { refusal } from '../expectations.ts';
import type { Stage } from '../stage.ts';

/** The one mapping: what goes in comes out, the same on every engine. */
export const values: Chapter = {
  name: 'values',
  tests: {
    async 'null stays null in a column of every type'(stage) {
      const { autoId: _, key, ...types } = stage.types;
      const columns = Object.entries({ ...types, key }).map(([name, type]) => ({
        name: `c_${name.toLowerCase()}`,
        type,
      }));
      const table = await stage.table(
        columns.map(({ name, type }) => `${name} ${type}`).join(', '),
      );
      await stage.db.execute(
        `INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')})`,
        columns.map(() => null),
      );
      const row = await stage.db.queryExactlyOne(`SELECT * FROM ${table}`);
      assert.deepEqual({ ...row }, Object.fromEntries(columns.map(({ name }) => [name, null])));
    },

    async 'booleans stay booleans'(stage) {
      assert.deepEqual(await roundTrip(stage, 'boolean', [true, false, null]), [true, false, null]);
    },

    async 'small whole numbers are numbers'(stage) {
      const numbers = [0, 1, -1, 32_768, 2_147_483_647, -2_147_483_648];
      assert.deepEqual(await roundTrip(stage, 'integer', numbers), numbers);
      assert.deepEqual(await roundTrip(stage, 'bigint', [...numbers, 5n]), [...numbers, 5]);
    },

    async 'whole numbers up to 2^53 are numbers, beyond they are exact bigints'(stage) {
      const safe = Number.MAX_SAFE_INTEGER;
      const written = [safe, -safe, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, ...int64Ends];
      assert.deepEqual(await roundTrip(stage, 'bigint', written), written);
    },

    async 'a whole number beyond 2^53 finds its row'(stage) {
      const table = await stage.table(`v ${stage.types.bigint}`);
      for (const v of [2n ** 53n, 2n ** 53n + 1n]) {
        await stage.db.execute(`INSERT INTO ${table} (v) VALUES (?)`, [v]);
      }
      const found = await stage.db.query(`SELECT v FROM ${table} WHERE v = ?`, [2n ** 53n + 1n]);
      assert.deepEqual(
        found.map((row) => row['v']),
        [2n ** 53n + 1n],
      );
    },

    async 'a count is a number'(stage) {
      const table = await stage.numbers(3);
      assert.equal(await stage.db.queryValue(`SELECT COUNT(*) FROM ${table}`), 3);
    },

    async 'decimals are texts and keep every digit'(stage) {
      const { before, behind } = stage.dialect.limits.decimals ?? { before: 30, behind: 10 };
      const written = [
        `${'1234567890'.repeat(6).slice(0, before)}.${'0123456789'.slice(0, behind)}`,
        `-${'9'.repeat(before)}.${'9'.repeat(behind)}`,
        `0.${'1'.padStart(behind, '0')}`,
        '-0.5',
        '100',
        '0',
      ];
      const read = await roundTrip(stage, 'decimal', written);
      for (const value of read) assert.equal(typeof value, 'string');
      assert.deepEqual(read.map(withoutTrailingZeros), written);
    },

    async 'a number goes into a decimal column'(stage) {
      const read = await roundTrip(stage, 'decimal', [1.25, -7]);
      assert.deepEqual(read.map(withoutTrailingZeros), ['1.25', '-7']);
    },

    async 'doubles keep every bit'(stage) {
      const written = [0, 0.1, 1 / 3, -1.5, 1e21, 123_456_789.123_456_78, 2 ** 53, 1e-7];
      written.push(Number.MAX_VALUE, -Number.MAX_VALUE, 2.225_073_858_507_201_4e-308);
      // Long ones, of the kind that reading digit by digit gets wrong.
      written.push(925_417.652_819_305_7);
      for (let index = 1; index <= 40; index++) written.push((Math.sqrt(index) * 1e6) / 7);
      const read = await roundTrip(stage, 'double', written);
      for (const [index, value] of read.entries()) {
        assert.ok(Object.is(value, written[index]), `${String(value)} is not ${written[index]}`);
      }
    },

    async 'minus zero is what the engine makes of it'(stage) {
      // SQLite stores no sign for zero, so the engine's own reading of a literal is the measure.
      const table = await stage.table(`id ${stage.types.integer}, v ${stage.types.double}`);
      await stage.db.execute(`INSERT INTO ${table} (id, v) VALUES (1, '-0'), (2, ?)`, [-0]);
      const [literal, value] = await stage.db.query(`SELECT v FROM ${table} ORDER BY id`);
      assert.equal(Math.abs(value?.['v'] as number), 0);
      assert.ok(Object.is(literal?.['v'], value?.['v']));
    },

    async 'NaN and infinity arrive, or are refused; they never turn into something else'(stage) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const table = await stage.table(`v ${stage.types.double}`);
        const insert = (): Promise<unknown> =>
          stage.db.execute(`INSERT INTO ${table} (v) VALUES (?)`, [value]);
        try {
          await insert();
        } catch {
          assert.match((await refusal(insert)).kind, /^(usage|data)$/);
          continue;
        }
        assert.ok(Object.is(await stage.db.queryValue(`SELECT v FROM ${table}`), value));
      }
    },

    async 'texts keep every character'(stage) {
      const written = [
        '',
        ' ',
        'trailing blanks  ',
        'emoji 🦆👩‍👩‍👧‍👦 and ñ, 漢字, עברית, ✓, e\u0301',
        `quotes ' " \` '' and \\ backslash \\' \\n`,
        'line\nbreak\r\nand\ttab',
        "'); DROP TABLE users; --",
        '? ?? $1 :name @v %s {} /* -- # */',
        '007',
        'true',
        'null',
        '9007199254740993',
        '2024-02-29 12:00:00',
        '{"a":1}',
        'é'.repeat(30_000),
      ];
      assert.deepEqual(await roundTrip(stage, 'text', written), written);
    },

    async 'an empty text is not null'(stage) {
      const table = await stage.table(`v ${stage.types.text}`);
      await stage.db.execute(`INSERT INTO ${table} (v) VALUES (?)`, ['']);
      assert.equal(await stage.db.queryValue(`SELECT COUNT(*) FROM ${table} WHERE v IS NULL`), 0);
      assert.equal(await stage.db.queryValue(`SELECT v FROM ${table}`), '');
    },

    async 'bytes keep every bit, NUL and emptiness included'(stage) {
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      const written = [
        Buffer.from([0, 1, 0, 255, 39, 92, 0]),
        Buffer.alloc(0),
        all,
        all.subarray(200, 210),
        Buffer.from('not utf-8: \xff\xfe', 'latin1'),
        Buffer.alloc(20_000, 0xab),
      ];
      const read = await roundTrip(stage, 'bytes', written);
      for (const [index, value] of read.entries()) {
        assert.ok(Buffer.isBuffer(value), `${typeof value} is not a Buffer`);
        assert.deepEqual(value, Buffer.from(written[index] ?? []));
      }
    },

    async 'dates are texts, also before 1900'(stage) {
      const written = ['2024-02-29', '1899-12-31', '1582-10-15', '1000-01-01', '9999-12-31'];
      assert.deepEqual(await roundTrip(stage, 'date', written), written);
    },

    async 'timestamps are moments in UTC, also before 1900 and after 2038'(stage) {
      assert.deepEqual(await roundTrip(stage, 'timestamp', moments), moments);
    },

    async 'microseconds are cut, never rounded'(stage) {
      const read = await roundTrip(stage, 'timestamp', [
        '2024-02-29 12:34:56.789999',
        '1850-06-01 00:00:00.000999',
        '2024-12-31 23:59:59.999999',
        '2024-01-01 00:00:00',
      ]);
      assert.deepEqual(read, [
        new Date('2024-02-29T12:34:56.789Z'),
        new Date('1850-06-01T00:00:00.000Z'),
        new Date('2024-12-31T23:59:59.999Z'),
        new Date('2024-01-01T00:00:00.000Z'),
      ]);
    },

    async 'the engine understands a Date as the same moment'(stage) {
      const table = await stage.table(`v ${stage.types.timestamp}`);
      const moment = new Date('2024-03-10T02:30:00.125Z');
      await stage.db.execute(`INSERT INTO ${table} (v) VALUES (?)`, [moment]);
      const same = `SELECT COUNT(*) FROM ${table} WHERE v = '2024-03-10 02:30:00.125'`;
      assert.equal(await stage.db.queryValue(same), 1);
      assert.equal(
        await stage.db.queryValue(`SELECT COUNT(*) FROM ${table} WHERE v = ?`, [moment]),
        1,
      );
    },

    async "the machine's time zone changes nothing"(stage) {
      const before = process.env['TZ'];
      try {
        // Half an hour off, daylight saving, and no 02:30 on 2024-03-10.
        process.env['TZ'] = 'America/St_Johns';
        assert.deepEqual(await roundTrip(stage, 'timestamp', moments), moments);
        const [text, date] = ['2024-03-10 02:30:00', new Date('2024-03-10T02:30:00Z')];
        assert.deepEqual(await roundTrip(stage, 'timestamp', [text, date]), [date, date]);
        assert.deepEqual(await roundTrip(stage, 'date', ['2024-03-10']), ['2024-03-10']);
      } finally {
        if (before === undefined) delete process.env['TZ'];
        else process.env['TZ'] = before;
      }
    },

    async 'JSON comes back parsed'(stage) {
      const written = [
        { a: [1, { b: null, c: [true, false] }], empty: {}, none: [] },
        { 'ключ 🦆': 'значение "in quotes" \\ and \n line', 'a.b': "it's" },
        [1.5, -2, 1e20, 'text'],
        'a text',
        42,
        true,
        null,
      ];
      assert.deepEqual(
        await roundTrip(
          stage,
          'json',
          written.map((value) => json(value)),
        ),
        written,
      );
    },

    async 'arrays come back as arrays, where the engine has them'(stage) {
      if (!stage.dialect.arrays) return stage.skip('dialect.arrays is not set');
      const { integer, bigint, text, boolean } = stage.types;
      const table = await stage.table(
        `i ${integer}[], b ${bigint}[], t ${text}[], f ${boolean}[], e ${integer}[], m ${integer}[]`,
      );
      const row = {
        i: [1, null, -3],
        b: [1, 2n ** 53n + 1n],
        t: ['', 'a "b" \\c', 'x,y', '{z}', 'NULL', null, '🦆', ' '],
        f: [true, false, null],
        e: [],
        m: [
          [1, 2],
          [3, 4],
        ],
      };
      await stage.db.execute(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?)`, Object.values(row));
      assert.deepEqual({ ...(await stage.db.queryExactlyOne(`SELECT * FROM ${table}`)) }, row);
    },

    async 'arrays are refused where the engine has none'(stage) {
      if (stage.dialect.arrays) return stage.skip('dialect.arrays is set');
      const table = await stage.table(`v ${stage.types.text}`);
      const error = await refusal(() =>
        stage.db.execute(`INSERT INTO ${table} (v) VALUES (?)`, [[1, 2]]),
      );
      assert.equal(error.kind, 'usage');
      assert.equal(await stage.count(table), 0);
    },

    async 'rows as arrays hold the same values as rows as objects'(stage) {
      const { integer, bigint, double, boolean, decimal, timestamp, bytes, date } = stage.types;
      const table = await stage.table(
        `i ${integer}, b ${bigint}, d ${double}, f ${boolean}, n ${decimal}, t ${timestamp}, ` +
          `y ${bytes}, a ${date}, j ${stage.types.json}`,
      );
      const moment = new Date('2024-02-29T00:00:00Z');
      await stage.db.execute(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, [
        7,
        2n ** 60n + 1n,
        0.1,
        true,
        '0.1',
        moment,
        Buffer.from([0, 1]),
        '2024-02-29',
        json({ a: [1] }),
      ]);
      const object = await stage.db.queryExactlyOne(`SELECT * FROM ${table}`);
      const [array] = await stage.db.query<unknown[]>(`SELECT * FROM ${table}`, [], {
        rowMode: 'array',
      });
      assert.deepEqual(array, Object.values(object));
      assert.equal(object['b'], 2n ** 60n + 1n);
    },
  },
};

const int64Ends = [9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n];

const moments = [
  '2024-02-29T12:34:56.789Z',
  '1970-01-01T00:00:00.000Z',
  '1969-12-31T23:59:59.001Z',
  '1799-12-31T23:59:59.999Z',
  '1000-01-01T00:00:00.000Z',
  '2038-01-19T03:14:08.123Z',
  '2024-03-10T02:30:00.000Z',
  '9999-12-31T23:59:59.999Z',
].map((text) => new Date(text));

/** Writes each value as a parameter into a column of this type, and reads them back. */
async function roundTrip(
  stage: Stage,
  type: keyof ColumnTypes,
  written: readonly unknown[],
): Promise<unknown[]> {
  const table = await stage.table(`id ${stage.types.integer}, v ${stage.types[type]}`);
  for (const [id, value] of written.entries()) {
    await stage.db.execute(`INSERT INTO ${table} (id, v) VALUES (?, ?)`, [id, value]);
  }
  const rows = await stage.db.query(`SELECT v FROM ${table} ORDER BY id`);
  return rows.map((row) => row['v']);
}

/** An engine may fill a decimal up to the column's scale. */
function withoutTrailingZeros(value: unknown): string {
  const text = String(value);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
