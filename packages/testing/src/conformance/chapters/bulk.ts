import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { json, type Row } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { refusal, within } from '../expectations.ts';
import type { Stage } from '../stage.ts';

/** Many rows in one call: all of them, or none. */
export const bulk: Chapter = {
  name: 'bulk',
  tests: {
    async 'bulkInsert stores what a statement stores'(stage) {
      const { bigint, boolean, bytes, date, decimal, double, integer, json: type } = stage.types;
      const { text, timestamp } = stage.types;
      const table = await stage.table(
        `id ${integer} NOT NULL PRIMARY KEY, b ${bigint}, f ${boolean}, y ${bytes}, a ${date}, ` +
          `n ${decimal}, d ${double}, j ${type}, v ${text}, t ${timestamp}`,
      );
      const rows = samples.map((sample, id) => ({ id, ...sample }));
      for (const row of rows) {
        const names = Object.keys(row);
        await stage.db.execute(
          `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
          Object.values(row),
        );
      }
      const again = rows.map((row) => ({ ...row, id: row.id + 100 }));
      await stage.db.bulkInsert(table, again);
      const others = ({ id, ...row }: Row): Row => (assert.notEqual(id, undefined), row);
      const read = async (from: number): Promise<unknown[]> =>
        (
          await stage.db.query(`SELECT * FROM ${table} WHERE id >= ? AND id < ? ORDER BY id`, [
            from,
            from + 100,
          ])
        ).map(others);
      assert.deepEqual(await read(100), await read(0));
    },

    async 'bulkInsert takes lists and objects, from any iterable'(stage) {
      const table = await numbered(stage);
      const columns = ['id', 'v'];
      const set = new Set([
        [1, 'a'],
        [2, null],
      ]);
      await stage.db.bulkInsert(table, set, { columns });
      await stage.db.bulkInsert(table, objects(3, 3));
      await stage.db.bulkInsert(table, eventually(objects(4, 4)));
      // A column that isn't given is left to the table, one that a row hasn't is NULL.
      await stage.db.bulkInsert(table, [{ v: 'e', id: 5 }, { id: 6 }, { id: 7, v: undefined }]);
      const found = await stage.db.query(`SELECT id, v FROM ${table} ORDER BY id`);
      assert.deepEqual(
        found.map(({ id, v }) => [Number(id), v ?? null]),
        [[1, 'a'], [2, null], [3, 'v3'], [4, 'v4'], [5, 'e'], [6, null], [7, null]], // prettier-ignore
      );
    },

    async 'bulkInsert of many rows: every one, once'(stage) {
      const table = await numbered(stage);
      const { affectedRows } = await stage.db.bulkInsert(table, objects(1, 2_345));
      assert.equal(affectedRows, 2_345);
      const text = `SELECT COUNT(*), SUM(id), MIN(id), MAX(id) FROM ${table} WHERE v = 'v' || id`;
      const mysqls = text.replace("'v' || id", "CONCAT('v', id)");
      const [row] = await stage.db.query(stage.dialect.name === 'mysql' ? mysqls : text);
      assert.deepEqual(Object.values(row as Row).map(Number), [2_345, 2_750_685, 1, 2_345]);
    },

    async 'no rows: nothing is asked of the server'(stage) {
      assert.deepEqual(await stage.db.bulkInsert('dal_no_such_table', []), { affectedRows: 0 });
      assert.deepEqual(await stage.db.executeMany('no statement at all', []), { affectedRows: 0 });
      assert.equal(stage.db.pool.stats().created, 0);
    },

    async 'names are quoted, whatever they hold'(stage) {
      const { integer } = stage.types;
      const [open, close] = stage.dialect.quote;
      const column = `od${close}d ${open} -- '\\`;
      const quoted = open + column.replaceAll(close, close + close) + close;
      const table = await stage.table(`${quoted} ${integer}, ${stage.quote('Select')} ${integer}`);
      await stage.db.bulkInsert(table, [{ [column]: 1, Select: 2 }]);
      const found = await stage.db.query(`SELECT ${quoted} + ${stage.quote('Select')} AS n FROM ${table}`); // prettier-ignore
      assert.equal(Number(found[0]?.['n']), 3);
      const error = await refusal(() =>
        stage.db.bulkInsert(`${table} (id) SELECT 1 --`, [{ id: 1 }]),
      );
      assert.equal(error.kind, 'schema');
    },

    async 'an error in the middle of bulkInsert leaves nothing'(stage) {
      stage.useDatabase({ max: 1 });
      const table = await numbered(stage);
      const rows = objects(1, 1_500);
      const error = await refusal(() => stage.db.bulkInsert(table, [...rows, { id: 700, v: '' }]));
      assert.notEqual(error.cause, undefined);
      assert.equal(await stage.count(table), 0);
      assert.equal((await stage.db.bulkInsert(table, rows)).affectedRows, 1_500);
    },

    async 'a source that throws leaves nothing, and its own error comes out'(stage) {
      stage.useDatabase({ max: 1 });
      const table = await numbered(stage);
      const mine = Object.assign(new Error('mine'), { code: 'ECONNRESET' });
      async function* broken(): AsyncGenerator<Row> {
        yield* objects(1, 1_100);
        await sleep(1);
        throw mine;
      }
      await assert.rejects(stage.db.bulkInsert(table, broken()), (error) => error === mine);
      const values = (async function* () {
        for await (const { id, v } of broken()) yield [id, v];
      })();
      const text = `INSERT INTO ${table} (id, v) VALUES (?, ?)`;
      await assert.rejects(stage.db.executeMany(text, values), (error) => error === mine);
      assert.equal(await stage.count(table), 0);
      assert.equal(stage.db.pool.stats().lostConnections, 0);
    },

    async 'a source is closed when its rows are not wanted any more'(stage) {
      const table = await numbered(stage);
      let closed = 0;
      async function* source(): AsyncGenerator<Row> {
        try {
          for (let id = 1; ; id++) yield { id: id % 1_100, v: 'v' };
        } finally {
          closed++;
        }
      }
      await refusal(() => stage.db.bulkInsert(table, source()));
      assert.equal(closed, 1);
      assert.equal(await stage.count(table), 0);
    },

    async 'a wrong row is named, and leaves nothing'(stage) {
      const table = await numbered(stage);
      const good = objects(1, 30);
      for (const wrong of [{ id: 0, w: 1 }, [0], { id: 0, v: {} }, null, {}]) {
        const error = await refusal(() => stage.db.bulkInsert(table, [...good, wrong as Row]));
        assert.equal(error.kind, 'usage');
        assert.match(error.message, /row 31\b/i);
      }
      const text = `INSERT INTO ${table} (id, v) VALUES (?, ?)`;
      for (const wrong of [[0], [0, 1, 2], [0, {}], 'ab']) {
        const rows = [...good.map(({ id, v }) => [id, v]), wrong as unknown[]];
        const error = await refusal(() => stage.db.executeMany(text, rows));
        assert.equal(error.kind, 'usage');
        assert.match(error.message, /row 31\b/i);
      }
      assert.equal(await stage.count(table), 0);
    },

    async 'in a transaction a failed part is undone alone'(stage) {
      if (!stage.dialect.transaction?.savepoint) stage.skip('the engine has no savepoints');
      const table = await numbered(stage);
      const text = `INSERT INTO ${table} (id) VALUES (?)`;
      await stage.db.transaction(async (tx) => {
        await tx.bulkInsert(table, objects(1, 10));
        await refusal(() => tx.bulkInsert(table, objects(8, 14).toReversed()));
        await refusal(() => tx.executeMany(text, [[20], [21], [1]]));
        await tx.executeMany(text, [[11]]);
      });
      await stage.db.connection(async (connection) => {
        await connection.begin();
        await connection.bulkInsert(table, objects(12, 12));
        await refusal(() => connection.executeMany(text, [[20], [21], [1]]));
        await connection.bulkInsert(table, objects(13, 13));
        await connection.commit();
      });
      assert.equal(await stage.count(table), 13);
    },

    async 'executeMany: every row in order, their counts added up'(stage) {
      const table = await numbered(stage);
      const insert = `INSERT INTO ${table} (id, v) VALUES (?, ?)`;
      const rows = objects(1, 601).map(({ id, v }) => [id, v]);
      assert.deepEqual(await stage.db.executeMany(insert, eventually(rows)), {
        affectedRows: 601,
      });
      // The second depends on the first, and changes two rows.
      const update = `UPDATE ${table} SET v = ? WHERE v = ? OR id = ?`;
      const steps = [
        ['x', 'v1', 2],
        ['y', 'x', 3],
      ];
      assert.deepEqual(await stage.db.executeMany(update, steps), { affectedRows: 5 });
      assert.equal(await stage.db.queryValue(`SELECT v FROM ${table} WHERE id = 1`), 'y');
    },

    async 'an error in executeMany leaves nothing'(stage) {
      stage.useDatabase({ max: 1 });
      const table = await numbered(stage);
      const text = `INSERT INTO ${table} (id) VALUES (?)`;
      const error = await refusal(() => stage.db.executeMany(text, [[1], [2], [1], [3]]));
      assert.notEqual(error.cause, undefined);
      // Which row it was, a driver may leave unsaid.
      if (/\brow \d/i.test(error.message)) assert.match(error.message, /row 3\b/i);
      assert.equal(await stage.count(table), 0);
      assert.deepEqual(await stage.db.executeMany(text, [[1], [2]]), { affectedRows: 2 });
    },

    async 'a deadline ends a source that hangs, and one that never ends'(stage) {
      await stage.needsDataAfterStop();
      stage.useDatabase({ max: 1 });
      const table = await numbered(stage);
      const text = `INSERT INTO ${table} (id) VALUES (?)`;
      const calls = [
        () => stage.db.bulkInsert(table, hanging(objects(1, 1_100)), { timeoutMs: 300 }),
        () => stage.db.executeMany(text, hanging([[1], [2]]), { timeoutMs: 300 }),
        () =>
          stage.db.bulkInsert(
            table,
            endless((id) => ({ id })),
            { timeoutMs: 300 },
          ),
        () =>
          stage.db.executeMany(
            text,
            endless((id) => [id]),
            { timeoutMs: 300 },
          ),
      ];
      for (const call of calls) {
        const error = await within(3_000, 'the hanging load', () => refusal(call));
        assert.equal(error.kind, 'statementTimeout');
        assert.equal(await within(3_000, 'the next statement', () => stage.count(table)), 0);
      }
    },

    async 'an abort in the middle leaves nothing'(stage) {
      await stage.needsDataAfterStop();
      stage.useDatabase({ max: 1 });
      const table = await numbered(stage);
      const text = `INSERT INTO ${table} (id, v) VALUES (?, ?)`;
      for (const many of [false, true]) {
        const aborter = new AbortController();
        const { signal } = aborter;
        const rows = (async function* () {
          for (let id = 1; ; id++) {
            yield many ? [id, 'v'] : { id, v: 'v' };
            if (id === 1_234) setTimeout(() => aborter.abort(), 5);
            if (id > 1_234 && id % 100 === 0) await sleep(1);
          }
        })();
        const call = (): Promise<unknown> =>
          many
            ? stage.db.executeMany(text, rows as AsyncIterable<unknown[]>, { signal })
            : stage.db.bulkInsert(table, rows, { signal });
        const error = await within(5_000, 'the aborted load', () => refusal(call));
        assert.equal(error.kind, 'cancelled');
        assert.equal(await within(3_000, 'the next statement', () => stage.count(table)), 0);
      }
    },
  },
};

const samples: readonly Row[] = [
  {
    b: 2n ** 53n + 1n,
    f: true,
    y: Buffer.from([0, 255, 92, 110, 10]),
    a: '1899-12-31',
    n: '12345678901234567890.5',
    d: 0.1,
    j: json({ a: [null, 'b\\n"\t', '🚀'] }),
    v: 'tab\t line\n return\r quote\' "double" back\\slash \\N \\.',
    t: new Date('2024-02-29T12:34:56.789Z'),
  },
  {
    b: -(2n ** 63n),
    f: false,
    y: Buffer.alloc(0),
    a: '0001-01-01',
    n: '-0.0000000001',
    d: -1.5e300,
    j: json('text'),
    v: '',
    t: new Date('1969-12-31T23:59:59.999Z'),
  },
  { b: 0, f: null, y: null, a: null, n: null, d: 5, j: json([]), v: '\\N', t: null },
  { b: null, f: null, y: null, a: null, n: null, d: null, j: null, v: '🚀,"\\,;\n\\', t: null },
];

function numbered(stage: Stage): Promise<string> {
  return stage.table(`id ${stage.types.integer} NOT NULL PRIMARY KEY, v ${stage.types.text}`);
}

function objects(from: number, to: number): { id: number; v: string }[] {
  return Array.from({ length: to - from + 1 }, (_, i) => ({ id: from + i, v: `v${from + i}` }));
}

async function* eventually<T>(rows: Iterable<T>): AsyncGenerator<T> {
  for (const row of rows) {
    if (Math.random() < 0.01) await sleep(0);
    yield row;
  }
}

async function* hanging<T>(rows: Iterable<T>): AsyncGenerator<T> {
  yield* rows;
  await new Promise(() => undefined);
}

function* endless<T>(row: (id: number) => T): Generator<T> {
  for (let id = 1; ; id++) yield row(id);
}
