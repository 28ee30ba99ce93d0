import assert from 'node:assert/strict';
import { type Queryable, quoteIdentifier } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { refusal } from '../expectations.ts';
import type { Stage } from '../stage.ts';

/** One answer, on every engine, to what tables and columns there are. */
export const schema: Chapter = {
  name: 'schema',
  tests: {
    async 'tables lists tables and views, and nothing that is gone'(stage) {
      needsCatalog(stage);
      const table = await stage.table(`id ${stage.types.integer}`);
      const view = `${table}_v`;
      await stage.db.execute(`CREATE VIEW ${view} AS SELECT id FROM ${table}`);
      try {
        const all = await stage.db.schema.tables();
        const found = all.filter(({ name }) => name === table || name === view);
        const schemas = new Set(found.map((one) => one.schema));
        assert.equal(schemas.size, 1, 'both live in one schema');
        const [home = ''] = schemas;
        assert.deepEqual(found, [
          { name: table, schema: home, kind: 'table' },
          { name: view, schema: home, kind: 'view' },
        ]);
        const named = await stage.db.schema.tables({ schema: home });
        assert.ok(named.some(({ name }) => name === view));
        assert.deepEqual(await stage.db.schema.tables({ schema: `${home}_not` }), []);
      } finally {
        await stage.db.execute(`DROP VIEW ${view}`);
      }
      assert.ok(!(await stage.db.schema.tables()).some(({ name }) => name === view));
    },

    async 'columns of one portable table are the same everywhere, types apart'(stage) {
      needsCatalog(stage);
      const { autoId, key, integer, boolean, json, decimal } = stage.types;
      const table = await stage.table(`
        id ${autoId}, name ${key} NOT NULL DEFAULT 'it''s', note ${key}, age ${integer} DEFAULT 5,
        debt ${integer} DEFAULT -5, ok ${boolean} DEFAULT TRUE NOT NULL, doc ${json},
        price ${decimal}, blank ${key} DEFAULT NULL`);
      const plain = { nullable: true, default: null, primaryKey: null };
      const column = (name: string, differs: object): object => ({
        name,
        ...plain,
        autoIncrement: false,
        generated: null,
        ...differs,
      });
      const columns = await stage.db.schema.columns(table);
      assert.deepEqual(
        columns.map(({ type: _type, ordinal: _ordinal, ...rest }) => rest),
        [
          column('id', { nullable: false, primaryKey: 1, autoIncrement: true }),
          column('name', { nullable: false, default: "'it''s'" }),
          column('note', {}),
          column('age', { default: '5' }),
          column('debt', { default: '-5' }),
          column('ok', { nullable: false, default: 'true' }),
          column('doc', {}),
          column('price', {}),
          column('blank', {}),
        ],
      );
      assert.deepEqual(
        columns.map(({ ordinal }) => ordinal),
        [1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
      for (const { name, type } of columns) assert.match(type, /^[a-z]/i, `the type of ${name}`);
      const shape = 'name ordinal type nullable default primaryKey autoIncrement generated';
      assert.equal(Object.keys(columns[0] ?? {}).join(' '), shape);
      assert.deepEqual(JSON.parse(JSON.stringify(columns)), columns, 'it survives JSON');
    },

    async 'a primary key of two columns has its own order'(stage) {
      needsCatalog(stage);
      const { integer, key } = stage.types;
      const table = await stage.table(
        `a ${integer} NOT NULL, b ${key} NOT NULL, c ${integer} NOT NULL, PRIMARY KEY (c, a)`,
      );
      const columns = await stage.db.schema.columns(table);
      assert.deepEqual(
        columns.map(({ name, primaryKey, autoIncrement }) => [name, primaryKey, autoIncrement]),
        [
          ['a', 2, false],
          ['b', null, false],
          ['c', 1, false],
        ],
      );
    },

    async 'the columns of a view are listed too'(stage) {
      needsCatalog(stage);
      const table = await stage.numbers(1);
      await stage.db.execute(`CREATE VIEW ${table}_v AS SELECT v, id AS number FROM ${table}`);
      try {
        const columns = await stage.db.schema.columns(`${table}_v`);
        assert.deepEqual(
          columns.map(({ name, ordinal }) => [name, ordinal]),
          [
            ['v', 1],
            ['number', 2],
          ],
        );
      } finally {
        await stage.db.execute(`DROP VIEW ${table}_v`);
      }
    },

    async 'tableExists says yes to what is there and no to all else'(stage) {
      needsCatalog(stage);
      const table = await stage.numbers(0);
      const exists = (name: string): Promise<boolean> => stage.db.schema.tableExists(name);
      assert.equal(await exists(table), true);
      // Neither a pattern nor a piece of SQL.
      const others = [`${table}_`, table.slice(0, -1), '%', table.replace('_', '%'), `"${table}"`];
      for (const name of [...others, `x' OR '1'='1`, '?', 'ä'.repeat(100)]) {
        assert.equal(await exists(name), false, name);
      }
      const [here] = (await stage.db.schema.tables()).filter(({ name }) => name === table);
      assert.ok(here);
      const isIn = (home: string): Promise<boolean> =>
        stage.db.schema.tableExists(table, { schema: home });
      assert.equal(await isIn(here.schema), true);
      assert.equal(await isIn(`${here.schema}_not`), false);
    },

    async 'names that need quotes are found as they are'(stage) {
      needsCatalog(stage);
      const base = (await stage.numbers(0)).toUpperCase();
      const name = `${base} 'x' %_ "Ä"`;
      const quoted = quoteIdentifier(name, stage.dialect);
      const column = quoteIdentifier('Select "1"', stage.dialect);
      await stage.db.execute(`CREATE TABLE ${quoted} (${column} ${stage.types.integer})`);
      try {
        assert.equal(await stage.db.schema.tableExists(name), true);
        assert.ok((await stage.db.schema.tables()).some((table) => table.name === name));
        const columns = await stage.db.schema.columns(name);
        assert.deepEqual(
          columns.map((one) => one.name),
          ['Select "1"'],
        );
        const analyzed = await stage.db.analyzeTable(name);
        assert.ok(analyzed.every(({ table }) => table.includes(name)));
        await stage.db.optimizeTable(name);
      } finally {
        await stage.db.execute(`DROP TABLE ${quoted}`);
      }
    },

    async 'a connection and a transaction answer it too'(stage) {
      needsCatalog(stage);
      const table = await stage.numbers(1);
      const ask = async (on: Queryable): Promise<unknown> => [
        await on.schema.tableExists(table),
        (await on.schema.columns(table)).map(({ name }) => name),
      ];
      const answer = [true, ['id', 'v']];
      await using connection = await stage.db.acquire();
      assert.deepEqual(await ask(connection), answer);
      await connection.release();
      assert.deepEqual(await stage.db.transaction(ask), answer);
    },

    async 'a transaction sees the table that it made'(stage) {
      needsCatalog(stage);
      if (stage.dialect.ddlCommits) return stage.skip('dialect.ddlCommits is set');
      const name = `${await stage.numbers(0)}_new`;
      await stage.db.transaction(async (tx) => {
        await tx.execute(`CREATE TABLE ${name} (id ${stage.types.integer})`);
        assert.equal(await tx.schema.tableExists(name), true);
        assert.equal((await tx.schema.columns(name)).length, 1);
        await tx.execute(`DROP TABLE ${name}`);
        assert.equal(await tx.schema.tableExists(name), false);
      });
    },

    async 'an unknown table is refused with the likely right name'(stage) {
      needsCatalog(stage);
      const table = await stage.numbers(0);
      const wrong = `${table}x`;
      for (const ask of [
        () => stage.db.schema.columns(wrong),
        () => stage.db.analyzeTable(wrong),
        () => stage.db.optimizeTable(wrong),
      ]) {
        const error = await refusal(ask);
        assert.equal(error.code, 'DAL_NO_TABLE');
        assert.equal(error.kind, 'schema');
        assert.match(error.message, new RegExp(`"${wrong}".*mean "dal_`));
      }
      assert.equal((await refusal(() => stage.db.schema.columns(''))).kind, 'usage');
      const typo = { shema: 'x' } as object;
      const error = await refusal(() => stage.db.schema.columns(table, typo));
      assert.match(error.message, /"shema".*"schema"/);
    },

    async 'databases names the current one, once'(stage) {
      needsCatalog(stage);
      const databases = await stage.db.schema.databases();
      assert.equal(databases.filter(({ isCurrent }) => isCurrent).length, 1);
      const names = databases.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
      assert.deepEqual(Object.keys(databases[0] ?? {}), ['name', 'isCurrent']);
    },

    async 'analyzeTable and optimizeTable say OK, and the rows stay'(stage) {
      needsCatalog(stage);
      const table = await stage.numbers(50);
      await stage.db.execute(`DELETE FROM ${table} WHERE id > ?`, [10]);
      for (const [op, messages] of [
        ['analyze', await stage.db.analyzeTable(table)],
        ['optimize', await stage.db.optimizeTable(table)],
      ] as const) {
        const last = messages.at(-1);
        const words = { op, messageType: 'status', messageText: 'OK' };
        assert.deepEqual(last, { table: last?.table, ...words });
        assert.ok(last.table.endsWith(`.${table}`), last.table);
        for (const one of messages) assert.equal(one.op, op);
      }
      assert.equal(await stage.count(table), 10);
    },
  },
};

function needsCatalog(stage: Stage): void {
  if (!stage.dialect.catalog) stage.skip('dialect.catalog is not set');
}
