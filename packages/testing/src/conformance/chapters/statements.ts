import assert from 'node:assert/strict';
import { ConfigError, RowCountError, sql, TooManyRowsError } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { refusal } from '../expectations.ts';
import type { Stage } from '../stage.ts';

/** What a statement says and what it answers. */
export const statements: Chapter = {
  name: 'statements',
  tests: {
    async 'query answers rows as objects, in the order asked for'(stage) {
      const table = await stage.numbers(3, 'x');
      const rows = await stage.db.query(`SELECT id, v FROM ${table} ORDER BY id DESC`);
      assert.deepEqual(
        rows.map((row) => ({ ...row })),
        [3, 2, 1].map((id) => ({ id, v: 'x' })),
      );
    },

    async 'query answers an empty list when there are no rows'(stage) {
      const table = await stage.numbers(0);
      assert.deepEqual(await stage.db.query(`SELECT id FROM ${table}`), []);
    },

    async 'queryOne answers the row or undefined, and refuses two'(stage) {
      const table = await stage.numbers(2);
      const text = `SELECT id FROM ${table} WHERE id <= ?`;
      assert.equal(await stage.db.queryOne(text, [0]), undefined);
      assert.equal((await stage.db.queryOne(text, [1]))?.['id'], 1);
      assert.ok((await refusal(() => stage.db.queryOne(text, [2]))) instanceof TooManyRowsError);
    },

    async 'queryExactlyOne refuses none and two'(stage) {
      const table = await stage.numbers(2);
      const text = `SELECT id FROM ${table} WHERE id <= ?`;
      assert.equal((await stage.db.queryExactlyOne(text, [1]))['id'], 1);
      const none = await refusal(() => stage.db.queryExactlyOne(text, [0]));
      assert.ok(none instanceof RowCountError);
      const two = await refusal(() => stage.db.queryExactlyOne(text, [2]));
      assert.ok(two instanceof TooManyRowsError);
    },

    async 'queryValue answers the first column, null included, or undefined'(stage) {
      const table = await stage.numbers(2);
      const text = `SELECT id, v FROM ${table} WHERE id = ?`;
      assert.equal(await stage.db.queryValue(text, [2]), 2);
      assert.equal(await stage.db.queryValue(text, [9]), undefined);
      await stage.db.execute(`UPDATE ${table} SET v = NULL WHERE id = 1`);
      assert.equal(await stage.db.queryValue(`SELECT v, id FROM ${table} WHERE id = 1`), null);
    },

    async 'affectedRows counts inserted, matched and deleted rows'(stage) {
      const table = await stage.numbers(0);
      const run = async (text: string, values: readonly unknown[] = []): Promise<number> =>
        (await stage.db.execute(text, values)).affectedRows;
      const insert = `INSERT INTO ${table} (id, v) VALUES (?, 'a'), (?, 'a'), (?, 'a')`;
      assert.equal(await run(insert, [1, 2, 3]), 3);
      assert.equal(await run(`UPDATE ${table} SET v = ? WHERE id < ?`, ['b', 3]), 2);
      // The same values again: two rows match, though nothing changes.
      assert.equal(await run(`UPDATE ${table} SET v = ? WHERE id < ?`, ['b', 3]), 2);
      assert.equal(await run(`UPDATE ${table} SET v = 'c' WHERE id > ?`, [99]), 0);
      assert.equal(await run(`DELETE FROM ${table} WHERE id > ?`, [1]), 2);
      assert.equal(await run(`SELECT * FROM ${table}`), 0);
    },

    async 'execute answers rows and columns of a read'(stage) {
      const table = await stage.numbers(1);
      const { rows, columns } = await stage.db.execute(`SELECT id, v AS other FROM ${table}`);
      assert.equal(rows.length, 1);
      assert.deepEqual(
        columns.map(({ name }) => name),
        ['id', 'other'],
      );
      const empty = await stage.db.execute(`SELECT id, v FROM ${table} WHERE id = 99`);
      assert.deepEqual(empty.rows, []);
      assert.deepEqual(
        empty.columns.map(({ name }) => name),
        ['id', 'v'],
      );
    },

    async 'execute of a change answers no rows'(stage) {
      const table = await stage.numbers(1);
      const { rows } = await stage.db.execute(`UPDATE ${table} SET v = 'z'`);
      assert.deepEqual(rows, []);
    },

    async 'insertId is the id that the engine made up'(stage) {
      if (stage.options.insertId === false)
        return stage.skip('the engine does not say it: use RETURNING');
      const table = await stage.table(`id ${stage.types.autoId}, v ${stage.types.text}`);
      for (const v of ['a', 'b']) {
        const { insertId } = await stage.db.execute(`INSERT INTO ${table} (v) VALUES (?)`, [v]);
        const id = await stage.db.queryValue(`SELECT id FROM ${table} WHERE v = ?`, [v]);
        assert.equal(insertId, id);
      }
      const update = await stage.db.execute(`UPDATE ${table} SET v = 'c' WHERE v = 'a'`);
      assert.equal(update.insertId, undefined, 'an UPDATE makes no id');
    },

    async 'an insertId beyond 2^53 is exact'(stage) {
      if (stage.options.insertId === false)
        return stage.skip('the engine does not say it: use RETURNING');
      const table = await stage.table(`id ${stage.types.autoId}, v ${stage.types.text}`);
      await stage.db.execute(`INSERT INTO ${table} (id, v) VALUES (?, 'a')`, [2n ** 53n]);
      const { insertId } = await stage.db.execute(`INSERT INTO ${table} (v) VALUES ('b')`);
      assert.equal(insertId, 2n ** 53n + 1n);
    },

    async 'columns of one name are all there in rows as arrays'(stage) {
      const { rows, columns } = await stage.db.execute<unknown[]>('SELECT 1 AS a, 2 AS a', [], {
        rowMode: 'array',
      });
      assert.deepEqual(rows, [[1, 2]]);
      assert.deepEqual(
        columns.map(({ name }) => name),
        ['a', 'a'],
      );
    },

    async 'a column may have any name'(stage) {
      const names = ['two words', 'Upper', 'constructor', 'toString', 'ключ', '1'];
      const list = names.map((name, index) => `${index} AS ${stage.quote(name)}`).join(', ');
      const { rows, columns } = await stage.db.execute<unknown[]>(`SELECT ${list}`, [], {
        rowMode: 'array',
      });
      assert.deepEqual(rows, [names.map((_, index) => index)]);
      assert.deepEqual(
        columns.map(({ name }) => name),
        names,
      );
      const row = await stage.db.queryExactlyOne(`SELECT ${list}`);
      assert.equal(row['two words'], 0);
      assert.equal(row['constructor'], 2);
    },

    async 'a column called __proto__ arrives or is refused, and harms nothing'(stage) {
      const text = `SELECT 1 AS ${stage.quote('__proto__')}, 2 AS b`;
      try {
        const row = await stage.db.queryExactlyOne(text);
        assert.equal(row['b'], 2);
        assert.ok(Object.hasOwn(row, '__proto__'));
      } catch {
        assert.match((await refusal(() => stage.db.query(text))).message, /__proto__/);
      }
      assert.deepEqual(Object.keys(Object.prototype), []);
      await usable(stage);
    },

    async 'a ? in a text, a comment or a quoted name is no parameter'(stage) {
      const text = `SELECT 'a ? b' AS a, 'it''s ?' AS b, ? AS ${stage.quote('c?')} /* ? */ -- ?`;
      const table = await stage.table(`v ${stage.types.text}`);
      await stage.db.execute(`INSERT INTO ${table} (v) VALUES (?)`, ['x']);
      const row = await stage.db.queryExactlyOne(
        text.replace('? AS', `(SELECT v FROM ${table} WHERE v = ?) AS`),
        ['x'],
      );
      assert.deepEqual({ ...row }, { a: 'a ? b', b: "it's ?", 'c?': 'x' });
    },

    async '?? is a plain question mark, not a parameter'(stage) {
      // No engine knows this operator between numbers; what counts is who refuses it, and why.
      const error = await refusal(() => stage.db.query('SELECT 1 ?? 2'));
      if (stage.dialect.placeholder(1) === '?') {
        // Sent on, the engine would take it for a parameter.
        assert.match(error.message, /\?\?/);
        assert.equal(error.kind, 'usage');
      } else {
        assert.ok(!(error instanceof ConfigError), error.message);
        assert.notEqual(error.cause, undefined);
      }
    },

    async 'too few and too many values are refused before anything is sent'(stage) {
      const table = await stage.numbers(0);
      const text = `INSERT INTO ${table} (id, v) VALUES (?, ?)`;
      for (const values of [[], [1], [1, 'a', 'b']]) {
        const error = await refusal(() => stage.db.execute(text, values));
        assert.equal(error.kind, 'usage', error.message);
      }
      assert.equal(await stage.count(table), 0);
    },

    async 'what is no value is refused by its place, without its content'(stage) {
      const table = await stage.numbers(0);
      const bad = [
        undefined,
        { secret: 'hunter2' },
        new Map([['hunter2', 1]]),
        () => 'hunter2',
        Symbol('hunter2'),
        new Date(Number.NaN),
      ];
      for (const value of bad) {
        const error = await refusal(() =>
          stage.db.execute(`INSERT INTO ${table} (id, v) VALUES (?, ?)`, [1, value]),
        );
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /2/);
        assert.doesNotMatch(error.message, /hunter2/);
      }
      assert.equal(await stage.count(table), 0);
    },

    async 'two statements in one text are refused, and neither runs'(stage) {
      const table = await stage.numbers(1);
      await refusal(() => stage.db.query('SELECT 1; SELECT 2'));
      await refusal(() =>
        stage.db.execute(`INSERT INTO ${table} (id) VALUES (2); DELETE FROM ${table}`),
      );
      await refusal(() =>
        stage.db.execute(`UPDATE ${table} SET v = ?; DELETE FROM ${table}`, ['changed']),
      );
      const rows = await stage.db.query(`SELECT id, v FROM ${table}`);
      assert.deepEqual(
        rows.map((row) => ({ ...row })),
        [{ id: 1, v: 'v' }],
      );
    },

    async 'a semicolon at the end does no harm'(stage) {
      assert.equal(await stage.db.queryValue('SELECT 1;'), 1);
    },

    async 'tags change no result, however hostile'(stage) {
      const table = await stage.numbers(1);
      const tags = {
        route: 'GET /users',
        evil: `*/ DELETE FROM ${table}; --`,
        quotes: `' " \` \\ \n /* ? $1 ??`,
        'key */ x': '🦆',
        number: 1,
        flag: true,
      };
      const text = `SELECT id FROM ${table} WHERE id = ?`;
      assert.equal(await stage.db.queryValue(text, [1], { tags }), 1);
      await stage.db.execute(`UPDATE ${table} SET v = ? WHERE id = ?`, ['w', 1], { tags });
      assert.equal(await stage.db.queryValue(`SELECT v FROM ${table}`, [], { tags }), 'w');
      assert.equal(await stage.db.queryValue(`${text} -- end`, [1], { tags }), 1);
    },

    async "the engine's own placeholders work too"(stage) {
      const table = await stage.numbers(3);
      const { placeholder } = stage.dialect;
      const rows = await stage.db.query(
        `SELECT id FROM ${table} WHERE id >= ${placeholder(1)} AND id <= ${placeholder(2)} ORDER BY id`,
        [2, 3],
        { placeholders: 'native' },
      );
      assert.deepEqual(
        rows.map((row) => row['id']),
        [2, 3],
      );
    },

    async 'a numbered placeholder may stand twice'(stage) {
      const { placeholder } = stage.dialect;
      if (placeholder(1) === placeholder(2))
        return stage.skip('dialect.placeholder has no numbers');
      const table = await stage.numbers(3);
      const one = placeholder(1);
      const id = await stage.db.queryValue(
        `SELECT id FROM ${table} WHERE id <= ${one} AND id >= ${one}`,
        [2],
        { placeholders: 'native' },
      );
      assert.equal(id, 2);
    },

    async 'sql`...` carries values and names beside the text'(stage) {
      const table = await stage.numbers(3, "it's");
      const ids = [1, 3, 99];
      const rows = await stage.db.query(
        sql`SELECT id FROM ${sql.id(table)} WHERE id IN (${ids}) AND v = ${"it's"} ORDER BY id`,
      );
      assert.deepEqual(
        rows.map((row) => row['id']),
        [1, 3],
      );
    },

    async 'executeMany runs once for each row of values'(stage) {
      const table = await stage.numbers(0);
      const text = `INSERT INTO ${table} (id, v) VALUES (?, ?)`;
      function* rows(): Generator<readonly unknown[]> {
        for (let id = 1; id <= 500; id++) yield [id, `row ${id}`];
      }
      assert.equal((await stage.db.executeMany(text, rows())).affectedRows, 500);
      assert.equal((await stage.db.executeMany(text, [])).affectedRows, 0);
      assert.equal(await stage.count(table), 500);
      const v = await stage.db.queryValue(`SELECT v FROM ${table} WHERE id = 437`);
      assert.equal(v, 'row 437');
    },

    async 'a thousand parameters are no problem'(stage) {
      const table = await stage.numbers(10);
      const count = Math.min(1_000, stage.dialect.limits.parameters);
      const ids = Array.from({ length: count }, (_, index) => index + 1);
      const found = await stage.db.query(
        `SELECT id FROM ${table} WHERE id IN (${ids.map(() => '?').join(', ')})`,
        ids,
      );
      assert.equal(found.length, 10);
    },

    async 'a result of many rows is complete'(stage) {
      const table = await stage.numbers(300);
      const rows = await stage.db.query(
        `SELECT a.id AS a, b.id AS b FROM ${table} a, ${table} b WHERE b.id <= 50 ORDER BY a.id, b.id`,
      );
      assert.equal(rows.length, 15_000);
      assert.deepEqual({ ...rows.at(-1) }, { a: 300, b: 50 });
    },

    async 'the same text again sees a changed table'(stage) {
      const table = await stage.numbers(2);
      const text = `SELECT * FROM ${table} WHERE id = ?`;
      // Often enough that whatever prepares statements has prepared this one.
      for (let turn = 0; turn < 8; turn++) await stage.db.query(text, [1]);
      await stage.db.execute(`ALTER TABLE ${table} ADD COLUMN extra ${stage.types.integer}`);
      const row = await stage.db.queryExactlyOne(text, [1]);
      assert.deepEqual({ ...row }, { id: 1, v: 'v', extra: null });
    },

    async 'an empty text is refused'(stage) {
      for (const text of ['', '   ']) await refusal(() => stage.db.query(text));
      await usable(stage);
    },
  },
};

async function usable(stage: Stage): Promise<void> {
  assert.equal(await stage.db.queryValue('SELECT 1'), 1);
}
