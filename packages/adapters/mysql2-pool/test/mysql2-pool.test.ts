import type { Readable } from 'node:stream';
import { type Database, dalErrorOf } from '@dal/core';
import { mysql } from '@dal/mysql';
import mysql2, { createPool as createCallbackPool } from 'mysql2';
import { type Connection, createConnection, createPool, type Pool } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { CallbackPool, mysql2Module, mysql2Pool, type Mysql2PoolOptions } from '../src/index.ts';

const servers = inject('engines').filter(({ name }) => name === 'mysql' || name === 'mariadb');

type Answer = readonly [rows: unknown, fields?: unknown];

/** What mysql2 documents of answers and errors. */
function documented(told: unknown): unknown {
  if (told instanceof Error) {
    const { message, code, errno, sqlState, sqlMessage, sql } = told as Error &
      Record<string, unknown>;
    return { message, code, errno, sqlState, sqlMessage, sql };
  }
  if (!Array.isArray(told) || told.length === 0) return told;
  const [rows, fields] = told as unknown as Answer;
  return [rows, Array.isArray(fields) ? fields.map(fieldOf) : fields];
}

function fieldOf(field: unknown): unknown {
  if (Array.isArray(field)) return field.map(fieldOf);
  if (field === undefined) return undefined;
  const { name, type, columnLength, flags, table, orgTable } = field as Record<string, unknown>;
  return { name, type, columnLength, flags, table, orgTable };
}

const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.then(documented, (error: unknown) => ({ thrown: documented(error) }));

describe.each(servers)('$name', ({ url: given }) => {
  const url = given.replace(/^mariadb:/, 'mysql:');
  const opened: Database[] = [];
  let watcher: Connection;
  let theirs: Pool;
  let ours: Pool;

  function open(options: object = {}, settings: Mysql2PoolOptions = {}) {
    const db = mysql({ url: given, ...options });
    opened.push(db);
    return { db, pool: mysql2Pool(db, settings) };
  }

  beforeAll(async () => {
    watcher = await createConnection(url);
    theirs = createPool({ uri: url, connectionLimit: 1 });
    // What both sessions are told the same: the layer's are always in UTC.
    await theirs.query("SET time_zone = '+00:00'");
    ours = open().pool;
    await watcher.query('DROP TABLE IF EXISTS mysql2_pool_users');
    await watcher.query(
      'CREATE TABLE mysql2_pool_users (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL UNIQUE, age INT, f FLOAT, at DATETIME(3))',
    );
    await watcher.query(
      "INSERT INTO mysql2_pool_users (name, age, f, at) VALUES ('Page', 45, 0.1, '2024-02-29 12:34:56.789'), ('Rick', 60, 2, NULL)",
    );
  });

  afterEach(async () => {
    const lent = (): number[] => opened.map((db) => db.pool.stats().lent);
    await expect.poll(lent, { timeout: 10_000 }).toEqual(opened.map(() => 0));
    await Promise.all(opened.splice(1).map((db) => db.close({ force: true })));
  });

  afterAll(async () => {
    await watcher.query('DROP TABLE mysql2_pool_users');
    await Promise.all([watcher.end(), theirs.end(), ours.end()]);
  });

  const oneOf = async (pool: Pool): Promise<unknown> => (await pool.query('SELECT 1 AS one'))[0];

  async function idOf(on: Pick<Connection, 'query'>): Promise<number> {
    const [rows] = await on.query('SELECT CONNECTION_ID() AS id');
    return (rows as { id: number }[])[0]!.id;
  }

  const users = 'SELECT * FROM mysql2_pool_users WHERE name = ? AND age > ?';
  const examples: Readonly<Record<string, (pool: Pool) => Promise<unknown>>> = {
    'a query': (pool) => pool.query('SELECT * FROM mysql2_pool_users ORDER BY id'),
    'a query with values': (pool) => pool.query(users, ['Page', 45]),
    'an execution': (pool) => pool.execute(users, ['Page', 44]),
    'an execution with a Date and null': (pool) =>
      pool.execute('SELECT id FROM mysql2_pool_users WHERE at = ? OR name = ?', [
        new Date('2024-02-29T12:34:56.789Z'),
        null,
      ]),
    'an options object': (pool) => pool.query({ sql: users, values: ['Page', 1] }),
    'rows as arrays': (pool) => pool.query({ sql: users, rowsAsArray: true }, ['Page', 1]),
    'nested tables': (pool) =>
      pool.query({ sql: 'SELECT * FROM mysql2_pool_users u WHERE id = ?', nestTables: true }, [1]),
    'dates as texts': (pool) =>
      pool.query({
        sql: 'SELECT at FROM mysql2_pool_users ORDER BY id',
        dateStrings: true,
      } as never),
    'a cast of types': (pool) =>
      pool.query({
        sql: 'SELECT id, name FROM mysql2_pool_users ORDER BY id',
        typeCast: (field: { type: string; string(): string }, next: () => unknown) =>
          field.type === 'LONG' ? `#${field.string()}` : next(),
      } as never),
    'a list for IN': (pool) =>
      pool.query('SELECT name FROM mysql2_pool_users WHERE id IN (?) ORDER BY id', [[1, 2]]),
    'an object for SET, names for ??': (pool) =>
      pool.query('UPDATE ?? SET ? WHERE name = ?', ['mysql2_pool_users', { age: 45 }, 'Page']),
    'one value without a list': (pool) => pool.query('SELECT ? AS a', 'x'),
    'named placeholders': (pool) =>
      pool.query({ sql: 'SELECT :a AS a, :b AS b', namedPlaceholders: true } as never, {
        a: 1,
        b: 'x',
      }),
    'named placeholders of an execution': (pool) =>
      pool.execute(
        {
          sql: 'SELECT age FROM mysql2_pool_users WHERE name = :name',
          namedPlaceholders: true,
        } as never,
        {
          name: 'Page',
        },
      ),
    'the header of an update': (pool) =>
      pool.execute('UPDATE mysql2_pool_users SET age = ? WHERE name = ?', [45, 'Page']),
    'an error in a key': (pool) =>
      pool.execute('INSERT INTO mysql2_pool_users (name) VALUES (?)', ['Page']),
    'an error in the syntax': (pool) => pool.query('SELCT ?', ['secret']),
    'a missing table': (pool) => pool.execute('SELECT * FROM mysql2_pool_nothing WHERE a = ?', [1]),
    'undefined in an execution': (pool) => pool.execute('SELECT ?', [undefined as never]),
    'undefined in a query': (pool) => pool.query('SELECT ? AS a', [undefined]),
    'an execution with an object': (pool) => pool.execute('SELECT ?', { a: 1 }),
    'a second statement': (pool) => pool.query('SELECT 1; SELECT 2'),
    'a transaction': async (pool) => {
      const connection = await pool.getConnection();
      try {
        await connection.beginTransaction();
        await connection.execute('DELETE FROM mysql2_pool_users WHERE name = ?', ['Rick']);
        const [inside] = await connection.query('SELECT COUNT(*) AS n FROM mysql2_pool_users');
        await connection.rollback();
        const [after] = await connection.query('SELECT COUNT(*) AS n FROM mysql2_pool_users');
        return [inside, after, await connection.ping()];
      } finally {
        connection.release();
      }
    },
    'a committed transaction': async (pool) => {
      const connection = await pool.getConnection();
      try {
        await connection.query('START TRANSACTION');
        await connection.execute("UPDATE mysql2_pool_users SET age = 61 WHERE name = 'Rick'");
        await connection.commit();
        return await connection.query("SELECT age FROM mysql2_pool_users WHERE name = 'Rick'");
      } finally {
        connection.release();
      }
    },
    'a prepared statement': async (pool) => {
      const connection = await pool.getConnection();
      try {
        const statement = await connection.prepare(
          'SELECT name FROM mysql2_pool_users WHERE id = ?',
        );
        const answer = await statement.execute([1]);
        await statement.close();
        return documented(answer);
      } finally {
        connection.release();
      }
    },
    escaping: (pool) =>
      Promise.resolve([
        pool.escape("it's"),
        pool.escapeId('a.b'),
        pool.format('SELECT ?', [new Date(0)]),
      ]),
  };

  test.each(Object.entries(examples))('side by side: %s', async (_, example) => {
    const expected = await outcome(example(theirs));
    // The second time a statement is prepared.
    for (let round = 0; round < 2; round++) expect(await outcome(example(ours))).toEqual(expected);
  });

  test('the pool with callbacks, and rows as events and streams', async () => {
    const real = createCallbackPool(url);
    const ask = (pool: typeof real, ...call: readonly unknown[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        (pool.query as (...all: unknown[]) => void)(
          ...call,
          (error: Error | null, ...answer: unknown[]) => (error ? reject(error) : resolve(answer)),
        );
      });
    const streamed = async (pool: typeof real): Promise<unknown> => {
      const rows: unknown[] = [];
      const stream: Readable = pool
        .query('SELECT id, at FROM mysql2_pool_users ORDER BY id')
        .stream();
      for await (const row of stream) rows.push(row);
      const events: unknown[] = [];
      await new Promise<void>((resolve, reject) => {
        pool
          .query('SELECT id FROM mysql2_pool_users WHERE id > ? ORDER BY id', [0])
          .on('result', (row) => events.push(row))
          .on('error', reject)
          .on('end', resolve);
      });
      return [rows, events];
    };
    const own = open();
    const callbacks = own.pool.pool;
    expect(callbacks).toBeInstanceOf(CallbackPool);
    expect(documented(await ask(callbacks, users, ['Page', 1]))).toEqual(
      documented(await ask(real, users, ['Page', 1])),
    );
    expect(documented(await ask(callbacks, 'SELECT 1 AS a'))).toEqual(
      documented(await ask(real, 'SELECT 1 AS a')),
    );
    expect(await outcome(ask(callbacks, 'SELCT'))).toEqual(await outcome(ask(real, 'SELCT')));
    expect(await streamed(callbacks)).toEqual(await streamed(real));
    expect(own.db.pool.stats().lent).toBe(0);
    await new Promise<void>((resolve) => real.end(() => resolve()));
  });

  test('a stream that is left early frees its connection', async () => {
    const { pool, db } = open({ pool: { max: 1 } });
    const text =
      'WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT a.i FROM n a, n b';
    const stream = (pool.pool as unknown as CallbackPool).query(text) as unknown as {
      stream(): Readable;
    };
    for await (const row of stream.stream()) {
      expect(row).toEqual({ i: expect.any(Number) });
      break;
    }
    await expect.poll(() => db.pool.stats().lent, { timeout: 10_000 }).toBe(0);
    expect(await oneOf(pool)).toEqual([{ one: 1 }]);
  });

  test('a killed idle session: theirs fails, ours goes on without a word', async () => {
    const real = createPool({ uri: url, connectionLimit: 1 });
    const connection = await real.getConnection();
    const failure = new Promise((resolve) => connection.connection.once('error', resolve));
    await watcher.query('KILL ?', [await idOf(connection)]);
    expect(await failure).toMatchObject({ fatal: true });
    connection.release();
    await real.end();

    const { pool, db } = open({ pool: { max: 1 } });
    await watcher.query('KILL ?', [await idOf(pool)]);
    expect(await oneOf(pool)).toEqual([{ one: 1 }]);
    expect(db.pool.stats()).toMatchObject({ lent: 0, size: 1 });
  });

  test('a session that is killed under a connection: the query tells, the next one works', async () => {
    const { pool } = open({ pool: { max: 1 } });
    const connection = await pool.getConnection();
    await connection.beginTransaction();
    const id = await idOf(connection);
    const running = connection.query('SELECT SLEEP(30)').catch(dalErrorOf);
    await watcher.query('KILL ?', [id]);
    expect(await running).toMatchObject({ kind: 'connection' });
    await expect(connection.query('SELECT 1')).rejects.toThrow(/lost|given back/);
    connection.release();
    expect(await oneOf(pool)).toEqual([{ one: 1 }]);
  });

  test('a timeout and a signal stop the query on the server', async () => {
    const { pool } = open();
    await pool.query('SELECT 1');
    const sleepers = async (): Promise<number> => {
      const text =
        "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE '%mysql2_pool_sleeps%' AND id <> CONNECTION_ID()";
      const [rows] = await watcher.query(text);
      return (rows as { n: number }[])[0]!.n;
    };
    const sql = 'SELECT SLEEP(30), ? /* mysql2_pool_sleeps */';
    const ask = (options: object): Promise<unknown> => pool.query({ sql, ...options }, [1]);
    const late = await ask({ timeout: 200 }).catch(dalErrorOf);
    expect(late).toMatchObject({ code: 'DAL_STATEMENT_TIMEOUT' });
    const controller = new AbortController();
    const aborted = ask({ signal: controller.signal }).catch(dalErrorOf);
    await expect.poll(sleepers, { timeout: 10_000 }).toBe(1);
    controller.abort();
    expect(await aborted).toMatchObject({ kind: 'cancelled' });
    await expect.poll(sleepers, { timeout: 10_000 }).toBe(0);
  });

  test('values are no part of what the layer shows of a statement', async () => {
    const { pool } = open();
    const error = await pool.query('SELCT ?', ['a secret']).catch(dalErrorOf);
    expect(error).toMatchObject({ kind: 'syntax' });
    expect((error as Error).message).toContain('Statement: SELCT ?');
  });

  test('leaks name the line, stats count, and a released transaction is rolled back', async () => {
    const { pool, db } = open({ pool: { max: 1 } });
    const connection = await pool.getConnection();
    expect(db.pool.holders()[0]?.stack).toContain('mysql2-pool.test.ts');
    await connection.beginTransaction();
    await connection.query('DELETE FROM mysql2_pool_users');
    connection.release();
    connection.release();
    const [rows] = await pool.query('SELECT COUNT(*) AS n FROM mysql2_pool_users');
    expect(rows).toEqual([{ n: 2 }]);
    expect(db.pool.stats()).toMatchObject({ acquired: 2, lent: 0 });
  });

  test('settings of the pool, and the module', async () => {
    const { db } = open();
    const library = mysql2Module(db, { keepOpen: true });
    expect(library['escape']).toBe(mysql2.escape);
    const settings = {
      host: 'ignored',
      rowsAsArray: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
    };
    const pool = library.createPool(settings).promise();
    const [rows] = await pool.query('SELECT CAST(9007199254740993 AS SIGNED) AS big');
    expect(rows).toEqual([['9007199254740993']]);
    await pool.end();
    await expect(pool.query('SELECT 1')).rejects.toThrow('Pool is closed.');
    await expect(pool.getConnection()).rejects.toThrow('Pool is closed.');
    expect(await db.queryValue('SELECT 1')).toBe(1);
    expect(() => mysql2Pool({ ...db, dialect: { name: 'postgres' } } as never)).toThrow('postgres');
  });
});
