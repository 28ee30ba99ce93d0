import type { Database } from '@dal/core';
import { drizzle as overMysql } from '@dal/drizzle/mysql';
import { drizzle as overPostgres } from '@dal/drizzle/postgres';
import { drizzle as overSqlite } from '@dal/drizzle/sqlite';
import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { sql } from 'drizzle-orm';
import { drizzle as overPg } from 'drizzle-orm/node-postgres';
import { drizzle as overMysql2 } from 'drizzle-orm/mysql2';
import { int, mysqlTable } from 'drizzle-orm/mysql-core';
import { createPool } from 'mysql2/promise';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { outside, type Outside, words } from '../../../../tests/setup/outside.ts';
import { startCommitProxy } from '../../../../tests/transactions/commit-proxy.ts';

const engines = inject('engines').filter(({ name }) => name !== 'sqlite');

/** As much of Drizzle as all its databases have. */
interface Drizzled {
  execute(query: ReturnType<typeof sql>): Promise<unknown>;
  transaction<T>(work: (tx: Drizzled) => Promise<T>): Promise<T>;
}

describe.each(engines)('$name', (engine) => {
  const { name, url } = engine;
  const isPostgres = name === 'postgres';
  const over = (db: Database): Drizzled => (isPostgres ? overPostgres(db) : overMysql(db));
  const insert = (id: number): ReturnType<typeof sql> =>
    sql`insert into drizzle_fire values (${id})`;
  /** The server's number of the session that this runs on. */
  const sessionOf = async (on: Drizzled): Promise<unknown> => {
    const answer = await on.execute(sql.raw(words[name].id));
    const { rows } = answer as { rows?: { id: unknown }[] };
    return (rows ?? (answer as { id: unknown }[][])[0])?.[0]?.id;
  };
  let db: Database;
  let server: Outside;

  beforeAll(async () => {
    server = await outside(engine);
    db = await createDatabase(url, { pool: { max: 2 } });
    await server.db.execute('DROP TABLE IF EXISTS drizzle_fire');
    await server.db.execute('CREATE TABLE drizzle_fire (id INT PRIMARY KEY)');
    await server.db.execute('INSERT INTO drizzle_fire VALUES (1), (2), (3)');
  });
  afterEach(async () => {
    await expect
      .poll(() => db.pool.stats(), { timeout: 10_000 })
      .toMatchObject({ lent: 0, leaked: 0 });
  });
  afterAll(async () => {
    await db.close();
    await server.db.execute('DROP TABLE drizzle_fire');
    await server[Symbol.asyncDispose]();
  });

  test('a server that is away for a moment is waited for; its own driver fails', async () => {
    const { hostname, port } = new URL(url);
    await using proxy = await startFaultProxy({ host: hostname, port: Number(port) });
    const place = proxy.through(url).replace('mariadb:', 'mysql:');
    await using through = await createDatabase(proxy.through(url));
    const pool = isPostgres ? new Pool({ connectionString: place }) : createPool(place);
    pool.on('error' as never, () => undefined);
    const own = (isPostgres ? overPg(pool as Pool) : overMysql2(pool as never)) as Drizzled;
    const ours = over(through);
    await Promise.all([own.execute(sql`select 1`), ours.execute(sql`select 1`)]);
    proxy.set('reset-on-accept');
    proxy.resetAll();
    await expect.poll(() => through.pool.stats().lostConnections, { timeout: 10_000 }).toBe(1);
    const single = ours.execute(insert(10));
    const together = ours.transaction((tx) => tx.execute(insert(11)));
    await expect(own.execute(insert(12))).rejects.toThrow('Failed query');
    await expect
      .poll(() => through.pool.stats().connectErrors, { timeout: 10_000 })
      .toBeGreaterThan(0);
    proxy.set('pass');
    await Promise.all([single, together]);
    expect(await db.query('SELECT id FROM drizzle_fire WHERE id > 9 ORDER BY id')).toEqual([
      { id: 10 },
      { id: 11 },
    ]);
    await pool.end();
  });

  test('a transaction is killed: nothing of it stays, the pool goes on', async () => {
    const ours = over(db);
    const killed = ours.transaction(async (tx) => {
      await tx.execute(insert(20));
      await server.kill(await sessionOf(tx));
      await tx.execute(insert(21));
    });
    await expect(killed).rejects.toMatchObject({
      message: expect.stringContaining('Failed query: insert into drizzle_fire'),
      cause: { name: 'ConnectionError' },
    });
    expect(await server.db.query('SELECT id FROM drizzle_fire WHERE id >= 20')).toEqual([]);
    await ours.transaction((tx) => tx.execute(insert(22)));
  });

  test('a session is killed while it rests: the next query works', async () => {
    const ours = over(db);
    const { lostConnections } = db.pool.stats();
    await server.kill(await sessionOf(ours));
    await expect
      .poll(() => db.pool.stats().lostConnections, { timeout: 10_000 })
      .toBeGreaterThan(lostConnections);
    await ours.execute(insert(23));
  });

  test.runIf(isPostgres)('the answer to COMMIT is lost: it is looked up', async () => {
    await using proxy = await startCommitProxy(Number(new URL(url).port));
    await using lossy = await createDatabase({ url: proxy.through(url), tls: 'disable' });
    await over(lossy).transaction(async (tx) => {
      await tx.execute(insert(30));
      proxy.arm({ down: 0 });
    });
    expect(await db.query('SELECT id FROM drizzle_fire WHERE id = 30')).toHaveLength(1);
  });

  test.skipIf(isPostgres)('a loop that is left early gives its connection back', async () => {
    const table = mysqlTable('drizzle_fire', { id: int() });
    const query = overMysql(db).select().from(table).prepare();
    for await (const row of query.iterator()) {
      expect(row).toEqual({ id: 1 });
      expect(db.pool.stats()).toMatchObject({ lent: 1 });
      break;
    }
  });

  test("the layer's own limits come as the cause", async () => {
    await using slow = await createDatabase(url, { statementTimeoutMs: 300 });
    await slow.connect();
    const long = isPostgres ? sql`select pg_sleep(30)` : sql`select sleep(30)`;
    await expect(over(slow).execute(long)).rejects.toMatchObject({
      cause: { kind: 'statementTimeout' },
    });
  });

  test('a database of another engine is refused, with the right import', () => {
    expect(() => overSqlite(db)).toThrow(`@dal/drizzle/${isPostgres ? 'postgres' : 'mysql'}`);
  });
});
