import type { ColumnInfo, Database } from '@dal/core';
import { openDatabase } from '@dal/database';
import { createDatabase } from '@dal/factory';
import { fakeDriver } from '@dal/testing/fake';
import { sql } from '@dal/core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

const engines = inject('engines');

/** What matters of some columns, by name. */
async function facts<Key extends keyof ColumnInfo>(
  db: Pick<Database, 'schema'>,
  table: string,
  ...keys: Key[]
): Promise<Record<string, ColumnInfo[Key][]>> {
  const columns = await db.schema.columns(table);
  return Object.fromEntries(columns.map((one) => [one.name, keys.map((key) => one[key])]));
}

describe('a driver', () => {
  const catalog = {
    tables: () => sql`SELECT TABLES`,
    columns: () => sql`COLUMNS`,
    databases: () => sql`DATABASES`,
    analyze: () => [sql`ANALYZE`],
    optimize: () => [sql`OPTIMIZE`],
  };
  const one = { name: 't', schema: 's', kind: 'table' };

  test('without a catalog is said to have none, and nothing is sent', async () => {
    const driver = fakeDriver();
    await using db = openDatabase(driver, {});
    for (const ask of [
      () => db.schema.tables(),
      () => db.schema.columns('t'),
      () => db.schema.tableExists('t'),
      () => db.schema.databases(),
      () => db.analyzeTable('t'),
      () => db.optimizeTable('t'),
    ]) {
      await expect(ask()).rejects.toMatchObject({ name: 'ConfigError', code: 'DAL_NO_CATALOG' });
    }
    expect(driver.calls).toEqual([]);
  });

  test('whose server answers a failure as a row has failed', async () => {
    const driver = fakeDriver({ dialect: { catalog } })
      .on('SELECT TABLES', { rows: [one] })
      .on('ANALYZE', { rows: [{ Table: 's.t', Msg_type: 'Error', Msg_text: 'Table is corrupt' }] });
    await using db = openDatabase(driver, {});
    await expect(db.analyzeTable('t')).rejects.toThrow('"s.t" was not analyzed: Table is corrupt');
  });

  test('that says a user may not has nothing sent', async () => {
    const driver = fakeDriver({
      dialect: { catalog: { ...catalog, mayMaintain: () => sql`SELECT MAY` } },
    })
      .on('SELECT TABLES', { rows: [one] })
      .on('SELECT MAY', { rows: [[false]] });
    await using db = openDatabase(driver, {});
    await expect(db.optimizeTable('t')).rejects.toMatchObject({ kind: 'permission' });
    expect(driver.statements).toEqual(['1: SELECT TABLES', '1: SELECT MAY']);
  });
});

describe.each(engines)('$name', ({ url }) => {
  test('a deadline and a signal reach the question', async () => {
    await using db = await createDatabase(url, { pool: { max: 1 } });
    await using holder = await db.acquire();
    await expect(db.schema.tables({ timeoutMs: 50 })).rejects.toMatchObject({ name: /Timeout/ });
    const signal = AbortSignal.abort();
    await expect(db.schema.databases({ signal })).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await holder.schema.tableExists('no_such_table')).toBe(false);
  });
});

describe.each(engines.filter(({ name }) => name === 'postgres'))('$name', ({ url }) => {
  let db: Database;
  beforeAll(async () => {
    db = await createDatabase(url, { pool: { max: 2 } });
    await db.execute('DROP SCHEMA IF EXISTS "Dal Schema" CASCADE');
    await db.execute('CREATE SCHEMA "Dal Schema"');
  });
  afterAll(async () => {
    await db.execute('DROP SCHEMA "Dal Schema" CASCADE');
    await db.close();
  });
  const schema = 'Dal Schema';

  test('another schema, in capitals and with a space', async () => {
    await db.execute('CREATE TABLE "Dal Schema"."Orders" (id int PRIMARY KEY)');
    await db.execute('CREATE MATERIALIZED VIEW "Dal Schema".totals AS SELECT 1 AS n');
    expect(await db.schema.tables({ schema })).toEqual([
      { name: 'Orders', schema, kind: 'table' },
      { name: 'totals', schema, kind: 'view' },
    ]);
    expect(await db.schema.tableExists('Orders')).toBe(false);
    expect(await db.schema.tableExists('orders', { schema })).toBe(false);
    expect(await db.schema.columns('Orders', { schema })).toMatchObject([{ primaryKey: 1 }]);
    const [analyzed] = await db.analyzeTable('Orders', { schema });
    expect(analyzed?.table).toBe('Dal Schema.Orders');
    await expect(db.optimizeTable('totals', { schema })).rejects.toThrow('is a view');
  });

  test('without a schema the search path counts, and the nearest table hides the others', async () => {
    await db.execute('CREATE TABLE "Dal Schema".dal_near (far int)');
    await using connection = await db.acquire();
    expect(await connection.schema.tableExists('dal_near')).toBe(false);
    await connection.execute('SET search_path = "Dal Schema", public');
    expect(await connection.schema.tableExists('dal_near')).toBe(true);
    await connection.execute('CREATE TEMPORARY TABLE dal_near (near int)');
    const found = await connection.schema.tables();
    expect(found.filter(({ name }) => name === 'dal_near')).toEqual([
      { name: 'dal_near', schema: expect.stringMatching(/^pg_temp/), kind: 'table' },
    ]);
    expect(await connection.schema.columns('dal_near')).toMatchObject([{ name: 'near' }]);
    expect(await connection.schema.columns('dal_near', { schema })).toMatchObject([
      { name: 'far' },
    ]);
  });

  test('serial and identity count up; a shared sequence is a default like any other', async () => {
    await db.execute('CREATE SEQUENCE "Dal Schema".shared');
    await db.execute(`CREATE TABLE "Dal Schema".counters (
      a serial PRIMARY KEY, b int GENERATED ALWAYS AS IDENTITY,
      c int DEFAULT nextval('"Dal Schema".shared'), d int)`);
    const columns = await db.schema.columns('counters', { schema });
    expect(columns.map((one) => [one.name, one.autoIncrement, one.default])).toEqual([
      ['a', true, null],
      ['b', true, null],
      ['c', false, `nextval('"Dal Schema".shared'::regclass)`],
      ['d', false, null],
    ]);
  });

  test('dropped columns leave no gap; domains, arrays and defaults keep their words', async () => {
    await db.execute(`CREATE DOMAIN "Dal Schema".positive AS int NOT NULL CHECK (VALUE > 0)`);
    await db.execute(`CREATE TABLE "Dal Schema".odd (
      gone int, amount "Dal Schema".positive, tags text[] DEFAULT '{}', at date DEFAULT now() + '1 day',
      debt numeric DEFAULT -1.50, label varchar(9) DEFAULT 'a''b', half int GENERATED ALWAYS AS (1) STORED)`);
    await db.execute('ALTER TABLE "Dal Schema".odd DROP COLUMN gone');
    const columns = await db.schema.columns('odd', { schema });
    expect(columns.map((one) => [one.ordinal, one.name, one.nullable, one.default])).toEqual([
      [1, 'amount', false, null],
      [2, 'tags', true, "'{}'"],
      [3, 'at', true, "(now() + '1 day'::interval)"],
      [4, 'debt', true, '-1.50'],
      [5, 'label', true, "'a''b'"],
      [6, 'half', true, null],
    ]);
    expect(columns.map(({ type }) => type)).toEqual([
      '"Dal Schema".positive',
      'text[]',
      'date',
      'numeric',
      'character varying(9)',
      'integer',
    ]);
    expect(columns.at(-1)?.generated).toBe('stored');
  });

  test('a table without columns is no missing table', async () => {
    await db.execute('CREATE TABLE "Dal Schema".bare ()');
    expect(await db.schema.columns('bare', { schema })).toEqual([]);
  });

  test('a name is compared whole, though the server would cut it', async () => {
    const long = 'n'.repeat(63);
    await db.execute(`CREATE TABLE "Dal Schema".${long} (id int)`);
    expect(await db.schema.tableExists(long, { schema })).toBe(true);
    expect(await db.schema.tableExists(`${long}n`, { schema })).toBe(false);
  });

  test('VACUUM and ANALYZE reach the server', async () => {
    await db.execute('CREATE TABLE "Dal Schema".swept AS SELECT generate_series(1, 500) AS id');
    const planned = () =>
      db.queryValue('SELECT reltuples FROM pg_class WHERE oid = ?::regclass', [
        '"Dal Schema".swept',
      ]);
    expect(await planned()).toBe(-1);
    await db.analyzeTable('swept', { schema });
    expect(await planned()).toBe(500);
    await db.execute('DELETE FROM "Dal Schema".swept WHERE id > 100');
    await db.optimizeTable('swept', { schema });
    expect(await planned()).toBe(100);
  });

  test('who may not analyze is told so, and still sees what there is', async () => {
    await db.execute('CREATE TABLE "Dal Schema".private (id int)');
    await db.execute('DROP ROLE IF EXISTS dal_nobody');
    await db.execute('CREATE ROLE dal_nobody');
    await db.connection(async (connection) => {
      await connection.execute('SET ROLE dal_nobody');
      expect(await connection.schema.columns('private', { schema })).toHaveLength(1);
      expect(await connection.schema.databases()).not.toEqual([]);
      await connection.execute('RESET ROLE');
    });
    // The role of every statement of this database.
    const user = new URL(url);
    user.searchParams.set('options', '-c role=dal_nobody');
    await using nobody = await createDatabase(user.href);
    expect(await nobody.queryValue('SELECT current_user')).toBe('dal_nobody');
    await expect(nobody.analyzeTable('private', { schema })).rejects.toMatchObject({
      kind: 'permission',
    });
    await db.execute('DROP ROLE dal_nobody');
  });
});

describe.each(engines.filter(({ name }) => name === 'mysql' || name === 'mariadb'))(
  '$name',
  ({ url }) => {
    let db: Database;
    beforeAll(async () => {
      db = await createDatabase(url, { pool: { max: 2 } });
    });
    afterAll(async () => {
      await db.execute('DROP TABLE IF EXISTS dal_Words, dal_notes');
      await db.close();
    });

    test('defaults of both servers read the same', async () => {
      await db.execute('DROP TABLE IF EXISTS dal_Words');
      await db.execute(`CREATE TABLE dal_Words (
        a VARCHAR(40) NOT NULL DEFAULT 'it''s a \\\\', b VARCHAR(9) DEFAULT 'NULL', c VARCHAR(9) DEFAULT NULL,
        d INT DEFAULT -5, e DECIMAL(9,2) DEFAULT 1.50, f DATE DEFAULT '2020-01-01', g BIT(1) DEFAULT b'1',
        h CHAR(36) DEFAULT (UUID()), i DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        j BOOLEAN DEFAULT FALSE, k VARCHAR(30) DEFAULT 'CURRENT_TIMESTAMP', l ENUM('x', 'y') DEFAULT 'x')`);
      expect(await facts(db, 'dal_Words', 'default', 'nullable')).toEqual({
        a: ["'it''s a \\\\'", false],
        b: ["'NULL'", true],
        c: [null, true],
        d: ['-5', true],
        e: ['1.50', true],
        f: ["'2020-01-01'", true],
        g: ["b'1'", true],
        h: ['uuid()', true],
        i: ['CURRENT_TIMESTAMP', true],
        j: ['false', true],
        k: ["'CURRENT_TIMESTAMP'", true],
        l: ["'x'", true],
      });
    });

    test('JSON is JSON, long text is long text, and computed columns are told apart', async () => {
      await db.execute('DROP TABLE IF EXISTS dal_notes');
      await db.execute(`CREATE TABLE dal_notes (
        doc JSON, \`json_valid\` LONGTEXT, n INT, v INT AS (n + 1) VIRTUAL, s INT AS (n + 1) STORED)`);
      const found = await facts(db, 'dal_notes', 'type', 'generated', 'default');
      expect(found['doc']).toEqual(['json', null, null]);
      expect(found['json_valid']).toEqual(['longtext', null, null]);
      expect(found['v']?.[1]).toBe('virtual');
      expect(found['s']?.[1]).toBe('stored');
    });

    test('another database, and one that this user may not see', async () => {
      const inside = await db.schema.tables({ schema: 'information_schema' });
      expect(inside.some(({ name }) => name.toLowerCase() === 'columns')).toBe(true);
      expect(inside.every(({ kind }) => kind === 'view')).toBe(true);
      expect(await db.schema.tables({ schema: 'no_such_database' })).toEqual([]);
      const names = (await db.schema.databases()).map(({ name }) => name);
      expect(names).not.toContain('information_schema');
      const home = await db.queryValue<string>('SELECT DATABASE()');
      expect(names).toContain(home);
    });

    test('capitals count as the server counts them', async () => {
      const exact = (await db.queryValue('SELECT @@lower_case_table_names')) === 0;
      await db.execute('CREATE TABLE IF NOT EXISTS dal_Words (a INT)');
      expect(await db.schema.tableExists('dal_Words')).toBe(true);
      expect(await db.schema.tableExists('DAL_WORDS')).toBe(!exact);
    });
  },
);

describe('sqlite', () => {
  let db: Database;
  beforeAll(async () => {
    db = await createDatabase('sqlite::memory:');
    await db.execute("ATTACH ':memory:' AS archive");
  });
  afterAll(() => db.close());

  test('attached files are schemas; the nearest table hides the others', async () => {
    await db.connection(async (connection) => {
      await connection.execute('ATTACH \':memory:\' AS "Old Files"');
      await connection.execute('CREATE TABLE "Old Files".orders (far)');
      expect(await connection.schema.columns('orders')).toMatchObject([{ name: 'far' }]);
      await connection.execute('CREATE TABLE orders (middle)');
      await connection.execute('CREATE TEMP TABLE orders (near)');
      const found = (await connection.schema.tables()).filter(({ name }) => name === 'orders');
      expect(found).toEqual([{ name: 'orders', schema: 'temp', kind: 'table' }]);
      for (const [schema, name] of [
        ['temp', 'near'],
        ['main', 'middle'],
        ['Old Files', 'far'],
      ] as const) {
        expect(await connection.schema.columns('orders', { schema })).toMatchObject([{ name }]);
      }
      expect(await connection.schema.columns('ORDERS')).toMatchObject([{ name: 'near', type: '' }]);
      const names = (await connection.schema.databases()).map(({ name }) => name);
      expect(names).toContain('Old Files');
      expect(names).not.toContain('temp');
    });
  });

  test('which keys count up, and which keep out null', async () => {
    await db.execute('CREATE TABLE rowid_alias (id integer PRIMARY KEY, v)');
    await db.execute('CREATE TABLE descending (id INTEGER PRIMARY KEY DESC)');
    await db.execute('CREATE TABLE whole (id INT PRIMARY KEY)');
    await db.execute('CREATE TABLE without_rowid (id INTEGER PRIMARY KEY, v INT) WITHOUT ROWID');
    await db.execute('CREATE TABLE two (a INTEGER, b INTEGER, PRIMARY KEY (b, a))');
    const keys = (table: string) =>
      facts(db, table, 'primaryKey', 'autoIncrement', 'nullable').then(({ id }) => id);
    expect(await keys('rowid_alias')).toEqual([1, true, false]);
    expect(await keys('descending')).toEqual([1, false, true]);
    expect(await keys('whole')).toEqual([1, false, true]);
    expect(await keys('without_rowid')).toEqual([1, false, false]);
    expect(await facts(db, 'two', 'primaryKey', 'autoIncrement')).toEqual({
      a: [2, false],
      b: [1, false],
    });
  });

  test('computed columns have the type alone; what a virtual table needs for itself is hidden', async () => {
    await db.execute(
      'CREATE TABLE sums (n INT, v INT GENERATED ALWAYS AS (n + 1), s TEXT AS (n) STORED)',
    );
    expect(await facts(db, 'sums', 'type', 'generated')).toEqual({
      n: ['INT', null],
      v: ['INT', 'virtual'],
      s: ['TEXT', 'stored'],
    });
    await db.execute('CREATE VIRTUAL TABLE words USING fts5(body)');
    const names = (await db.schema.tables()).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('words'))).toEqual(['words']);
    expect(names.filter((name) => name.startsWith('sqlite_'))).toEqual([]);
    expect(await facts(db, 'words', 'ordinal')).toEqual({ body: [1] });
  });

  test('ANALYZE writes what the planner reads', async () => {
    await db.execute('CREATE TABLE measured (a INT)');
    await db.execute('CREATE INDEX measured_a ON measured (a)');
    await db.executeMany('INSERT INTO measured VALUES (?)', [[1], [2], [2]]);
    await db.analyzeTable('MEASURED');
    expect(await db.queryValue("SELECT stat FROM sqlite_stat1 WHERE tbl = 'measured'")).toMatch(
      /^3 /,
    );
  });
});
