import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, dalErrorOf } from '@dal/core';
import { postgres } from '@dal/postgres';
import { Client, DatabaseError, Pool, type PoolClient, types } from 'pg';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { startCommitProxy } from '../../../../tests/transactions/commit-proxy.ts';
import { pgModule, pgPool } from '../src/index.ts';

const { url } = inject('engines').find((engine) => engine.name === 'postgres')!;

/** Looks on, and ends the sessions of others. */
const watcher = new Client(url);
const theirs = new Pool({ connectionString: url });
const opened: Database[] = [];

function open(options: object = {}): { readonly db: Database; readonly pool: Pool } {
  const db = postgres({ url, ...options });
  opened.push(db);
  return { db, pool: pgPool(db) };
}

const ours = open().pool;

beforeAll(async () => {
  await watcher.connect();
  await watcher.query('DROP TABLE IF EXISTS pg_pool_users');
  await watcher.query(
    'CREATE TABLE pg_pool_users (id serial PRIMARY KEY, name text UNIQUE NOT NULL, born date)',
  );
  await watcher.query("INSERT INTO pg_pool_users (name, born) VALUES ('brianc', '2011-01-02')");
});

afterEach(async () => {
  const lent = (): number[] => opened.map((db) => db.pool.stats().lent);
  await expect.poll(lent, { timeout: 10_000 }).toEqual(opened.map(() => 0));
  await Promise.all(opened.splice(1).map((db) => db.close({ force: true })));
});

afterAll(async () => {
  await watcher.query('DROP TABLE pg_pool_users');
  await Promise.all([watcher.end(), theirs.end(), ours.end()]);
});

/** What `pg` documents of results and errors. */
function documented(told: unknown): unknown {
  if (Array.isArray(told)) return told.map(documented);
  if (told instanceof DatabaseError) {
    const { name, message, code, severity, detail, constraint, table, position } = told;
    return { name, message, code, severity, detail, constraint, table, position };
  }
  if (told instanceof Error) return { message: told.message };
  const { command, rowCount, oid, rows, fields, rowAsArray } = told as Record<string, unknown>;
  return { command, rowCount, oid, rows, fields, rowAsArray };
}

const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.then(documented, (error: unknown) => ({ thrown: documented(error) }));

async function kill(pid: number): Promise<void> {
  await watcher.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
}

async function pidOf(on: Pool | PoolClient): Promise<number> {
  return (await on.query('SELECT pg_backend_pid() AS pid')).rows[0].pid as number;
}

describe('as documented, side by side', () => {
  const examples: Readonly<Record<string, (pool: Pool) => Promise<unknown>>> = {
    'a text': (pool) => pool.query('SELECT * FROM pg_pool_users'),
    'a text with values': (pool) =>
      pool.query('SELECT $1::text AS name, $2::int8 AS big, $3::timestamptz AS at', [
        'brianc',
        '9007199254740993',
        new Date(0),
      ]),
    'a config object': (pool) =>
      pool.query({ text: 'SELECT * FROM pg_pool_users WHERE name = $1', values: ['brianc'] }),
    'a named statement': (pool) =>
      pool.query({ name: 'fetch-user', text: 'SELECT $1::int AS one', values: [1] }),
    'rows as arrays': (pool) =>
      pool.query({ text: 'SELECT 1 AS a, 2 AS a', rowMode: 'array' } as never),
    'types of a statement': (pool) =>
      pool.query({
        text: 'SELECT 1::int8 AS n, now() IS NULL AS b',
        types: { getTypeParser: (oid: number) => (text: string) => `${oid}:${text}` },
      } as never),
    'types of an object, a list, null': (pool) =>
      pool.query('SELECT $1::jsonb AS j, $2::int[] AS l, $3::text AS n', [{ a: 1 }, [1, 2], null]),
    'values with a callback': (pool) =>
      new Promise((resolve, reject) => {
        pool.query('SELECT $1::int AS one', [1], (error, result) =>
          error ? reject(error) : resolve(result),
        );
      }),
    'a callback alone': (pool) =>
      new Promise((resolve, reject) => {
        pool.query('SELECT 1 AS one', (error, result) => (error ? reject(error) : resolve(result)));
      }),
    'an insert, one with RETURNING, an update and a delete': async (pool) => [
      await pool.query("INSERT INTO pg_pool_users (name) VALUES ('x')"),
      await pool.query("INSERT INTO pg_pool_users (name) VALUES ('y') RETURNING name"),
      await pool.query("UPDATE pg_pool_users SET born = NULL WHERE name = 'x'"),
      await pool.query("DELETE FROM pg_pool_users WHERE name IN ('x', 'y')"),
    ],
    DDL: async (pool) => {
      const made = await pool.query('CREATE TABLE pg_pool_made (a int)');
      await pool.query('DROP TABLE pg_pool_made');
      return made;
    },
    'several statements': (pool) =>
      pool.query(
        "SELECT 1 AS a; INSERT INTO pg_pool_users (name) VALUES ('z'); DELETE FROM pg_pool_users WHERE name = 'z'",
      ) as never,
    'a semicolon in a text': (pool) => pool.query("SELECT 'a; b' AS text;"),
    'no statement': (pool) => pool.query(''),
    'a unique violation': (pool) =>
      pool.query('INSERT INTO pg_pool_users (name) VALUES ($1)', ['brianc']),
    'a NOT NULL violation': (pool) => pool.query('INSERT INTO pg_pool_users (id) VALUES (99)'),
    'a syntax error': (pool) => pool.query('SELCT 1'),
    'a missing table': (pool) => pool.query('SELECT * FROM pg_pool_nothing WHERE id = $1', [1]),
    'a value that does not fit': (pool) => pool.query('SELECT $1::int', ['x']),
    'several statements, of which one fails': (pool) =>
      pool.query("INSERT INTO pg_pool_users (name) VALUES ('gone'); SELECT 1/0"),
    'no query at all': (pool) => pool.query({} as never),
    'values that are no list': (pool) => pool.query('SELECT 1', 5 as never),
    'a transaction': async (pool) => {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await client.query("INSERT INTO pg_pool_users (name) VALUES ('rolled back')");
        const inside = await client.query('SELECT count(*) FROM pg_pool_users');
        await client.query('ROLLBACK');
        return [inside, await client.query('SELECT count(*) FROM pg_pool_users')];
      } finally {
        client.release();
      }
    },
    'a failed transaction': async (pool) => {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await client.query('SELECT 1/0').catch(() => undefined);
        return await client.query('SELECT 1');
      } finally {
        await client.query('ROLLBACK');
        client.release();
      }
    },
    'a client with callbacks': (pool) =>
      new Promise((resolve, reject) => {
        pool.connect((error, client, done) => {
          if (error || !client) return reject(error);
          client.query('SELECT $1::text AS a', ['b'], (failure, result) => {
            done();
            if (failure) reject(failure);
            else resolve(result);
          });
        });
      }),
    'queries of a client that are not waited for': async (pool) => {
      const client = await pool.connect();
      const all = await Promise.all([1, 2, 3].map((n) => client.query('SELECT $1::int AS n', [n])));
      client.release();
      return all;
    },
  };

  test.each(Object.entries(examples))('%s', async (_, example) => {
    // First the real one, twice ours: the second time a statement is prepared.
    const expected = await outcome(example(theirs));
    expect(await outcome(example(ours))).toEqual(expected);
  });

  test('a prepared statement the third time, and whole examples', async () => {
    for (let round = 0; round < 3; round++) {
      const text = 'SELECT born, name FROM pg_pool_users WHERE name = $1';
      const expected = documented(await theirs.query(text, ['brianc']));
      expect(documented(await ours.query(text, ['brianc']))).toEqual(expected);
    }
  });

  test('a cursor and a stream', async () => {
    const read = async (pool: Pool): Promise<unknown> => {
      const client = await pool.connect();
      try {
        const cursor = client.query(
          new Cursor('SELECT * FROM generate_series(1::int8, $1)', [250]),
        );
        const first = await cursor.read(100);
        const second = await cursor.read(200);
        await cursor.close();
        const stream = client.query(new QueryStream('SELECT now()::date - $1::int AS day', [1]));
        const streamed: unknown[] = [];
        for await (const row of stream) streamed.push(row);
        const after = await client.query('SELECT 1 AS one');
        return [first, second, streamed, after.rows];
      } finally {
        client.release();
      }
    };
    expect(await read(ours)).toEqual(await read(theirs));
    await expect(ours.query(new Cursor('SELECT 1') as never)).rejects.toThrow('pool.connect()');
  });

  test('a released client can be released once', async () => {
    for (const pool of [theirs, ours]) {
      const client = await pool.connect();
      client.release();
      expect(() => client.release()).toThrow('already been released');
    }
  });

  test('after end() nothing is lent', async () => {
    const pools = [new Pool({ connectionString: url }), open().pool];
    const told = await Promise.all(
      pools.map(async (pool) => {
        await pool.query('SELECT 1');
        await pool.end();
        const again = await outcome(pool.query('SELECT 1'));
        return [again, await outcome(pool.connect()), await outcome(pool.end())];
      }),
    );
    expect(told[1]).toEqual(told[0]);
  });
});

describe('what the database adds', () => {
  test('a killed idle backend: theirs emits an error, ours goes on without a word', async () => {
    const real = new Pool({ connectionString: url, max: 1 });
    const told: unknown[] = [];
    real.on('error', (error) => told.push(error));
    await kill(await pidOf(real));
    await expect.poll(() => told.length, { timeout: 10_000 }).toBe(1);
    await real.end();

    const { pool, db } = open({ pool: { max: 1 } });
    await kill(await pidOf(pool));
    // Nobody listens for `error`, which would end the process.
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(db.pool.stats()).toMatchObject({ lent: 0, size: 1 });
  });

  test('a backend that is killed under a client: the query tells, the next client works', async () => {
    const { pool } = open({ pool: { max: 1 } });
    const client = await pool.connect();
    await client.query('BEGIN');
    const pid = await pidOf(client);
    const running = outcome(client.query('SELECT pg_sleep(30)'));
    await kill(pid);
    expect(await running).toMatchObject({ thrown: { message: expect.any(String) } });
    await expect(client.query('SELECT 1')).rejects.toThrow(/lost|given back/);
    client.release();
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  test('a COMMIT whose answer is lost fails, and says that nothing is known', async () => {
    await using proxy = await startCommitProxy(Number(new URL(url).port));
    const { pool } = open({ url: proxy.through(url), tls: 'disable' });
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query("INSERT INTO pg_pool_users (name) VALUES ('doubtful')");
    proxy.arm({ down: 0 });
    const error = await client.query('COMMIT').catch(dalErrorOf);
    expect(error).toMatchObject({ kind: 'connection', fault: { applied: 'unknown' } });
    client.release();
    const gone = await watcher.query("DELETE FROM pg_pool_users WHERE name = 'doubtful'");
    expect(gone.rowCount).toBe(1);
  });

  test('the first query of a client that lost its session while it rested goes to another', async () => {
    const { pool } = open({ pool: { max: 1 } });
    const pid = await pidOf(pool);
    const client = await pool.connect();
    await kill(pid);
    expect(await pidOf(client)).not.toBe(pid);
    client.release();
  });

  test('a timeout and a signal stop the query on the server', async () => {
    const { pool } = open();
    await pool.query('SELECT 1');
    const sleepers = async (): Promise<number> => {
      const text =
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_pool_sleeps%' AND pid <> pg_backend_pid()";
      return (await watcher.query(text)).rows[0].n as number;
    };
    const text = 'SELECT pg_sleep(30) /* pg_pool_sleeps */';
    const ask = (options: object): Promise<unknown> => pool.query({ text, ...options });
    const late = await ask({ query_timeout: 200 }).catch(dalErrorOf);
    expect(late).toMatchObject({ code: 'DAL_STATEMENT_TIMEOUT' });
    const controller = new AbortController();
    const aborted = ask({ signal: controller.signal }).catch(dalErrorOf);
    await expect.poll(sleepers, { timeout: 10_000 }).toBe(1);
    controller.abort();
    expect(await aborted).toMatchObject({ kind: 'cancelled' });
    await expect.poll(sleepers, { timeout: 10_000 }).toBe(0);
  });

  test('a released transaction is rolled back, and a changed session reset', async () => {
    const { pool } = open({ pool: { max: 1 } });
    const client = await pool.connect();
    await client.query("SET search_path = 'nowhere'");
    await client.query('BEGIN');
    client.release();
    const { rows } = await pool.query('SELECT current_schemas(false) AS s');
    expect(rows).not.toEqual([{ s: [] }]);
    await pool.query("SET search_path = 'nowhere'; SELECT 1");
    expect((await pool.query('SELECT current_schemas(false) AS s')).rows).toEqual(rows);
  });

  test('leaks name the line, stats count, and the counters are those of pg', async () => {
    const { pool, db } = open({ pool: { max: 1 } });
    const client = await pool.connect();
    const waiting = pool.query('SELECT 1');
    await expect.poll(() => pool.waitingCount, { timeout: 10_000 }).toBe(1);
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 0, waitingCount: 1 });
    expect(db.pool.holders()[0]?.stack).toContain('pg-pool.test.ts');
    client.release();
    await waiting;
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1, waitingCount: 0 });
    expect(db.pool.stats().acquired).toBe(2);
  });

  test('notifications arrive, and end with the loan', async () => {
    const { pool } = open({ pool: { max: 1 } });
    const client = await pool.connect();
    const told: unknown[] = [];
    client.on('notification', ({ channel, payload }) => told.push([channel, payload]));
    await client.query('LISTEN pg_pool_news');
    await watcher.query("NOTIFY pg_pool_news, 'one'");
    await expect.poll(() => told, { timeout: 10_000 }).toEqual([['pg_pool_news', 'one']]);
    client.release();
    const { rows } = await pool.query('SELECT * FROM pg_listening_channels()');
    expect(rows).toEqual([]);
  });

  test('who prepares each new connection prepares every loan', async () => {
    const { pool } = open({ pool: { max: 1 } });
    pool.on('connect', (client) => void client.query("SET TIME ZONE 'Asia/Tokyo'"));
    for (let round = 0; round < 2; round++) {
      const { rows } = await pool.query('SHOW TIME ZONE');
      expect(rows).toEqual([{ TimeZone: 'Asia/Tokyo' }]);
    }
  });

  test('a database of another engine is refused, and one that stays open', async () => {
    const { db } = open();
    expect(() => pgPool({ ...db, dialect: { name: 'mysql' } } as never)).toThrow('not mysql');
    await pgPool(db, { keepOpen: true }).end();
    expect(await db.queryValue('SELECT 1')).toBe(1);
  });
});

describe('the module', () => {
  test('its Pool and Client are the database’s, the rest is pg’s', async () => {
    const { db } = open();
    const module = pgModule(db, { keepOpen: true });
    expect(module['types']).toBe(types);
    expect(module.native).toBeUndefined();
    const pool = new module.Pool({ types: { getTypeParser: () => (text: string) => `<${text}>` } });
    expect(pool.constructor.name).toBe('Pool');
    expect(await pool.query('SELECT 1 AS a')).toMatchObject({ rows: [{ a: '<1>' }] });
    const client = new module.Client('postgres://ignored');
    await client.connect();
    expect(await client.query('SELECT 1 AS a')).toMatchObject({ rows: [{ a: 1 }] });
    const pid = client.processID as number;
    await client.end();
    await expect.poll(() => isThere(pid), { timeout: 10_000 }).toBe(false);
    await expect(client.query('SELECT 1')).rejects.toThrow('closed');
  });

  test('a client that is asked, connected again or ended before it is connected', async () => {
    const { db } = open();
    const told = await Promise.all(
      [new Client(url), new (pgModule(db).Client)()].map(async (client) => {
        // `pg` itself forgets about this one when it is called again.
        void client.connect();
        const early = outcome(client.query('SELECT 1 AS a') as Promise<unknown>);
        const seen = [await outcome(client.connect() as Promise<unknown>), await early];
        await client.end();
        return seen;
      }),
    );
    expect(told[1]).toEqual(told[0]);
    const hasty = new (pgModule(db).Client)();
    await Promise.all([hasty.connect(), hasty.end()]);
    expect(db.pool.stats().lent).toBe(0);
  });
});

async function isThere(pid: number): Promise<boolean> {
  await sleep(1);
  return (await watcher.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).rowCount === 1;
}
