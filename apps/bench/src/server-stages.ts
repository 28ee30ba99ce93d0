import type { Database } from '@dal/core';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';
import { startServer } from '@dal/testing/servers';
import mysql2 from 'mysql2/promise';
import { Client, Pool } from 'pg';
import {
  benchValues,
  COLUMNS,
  type Contender,
  MOST_CALLERS,
  SELECTED,
  type Stage,
} from './stage.ts';

/** Its own table: an address from the environment may be a database that others use too. */
const TABLE = `dal_bench_${process.pid}`;
const MARKED = `SELECT ${SELECTED} FROM ${TABLE} WHERE id = ?`;
const NUMBERED = `SELECT ${SELECTED} FROM ${TABLE} WHERE id = $1`;

export async function postgresStage(): Promise<Stage> {
  return serverStage('postgres', postgres, async (url, opened) => {
    const pool = new Pool({ connectionString: url, max: MOST_CALLERS });
    opened.defer(() => pool.end());
    const clients = Array.from({ length: MOST_CALLERS }, () => new Client(url));
    for (const client of clients) {
      await client.connect();
      opened.defer(() => client.end());
    }
    const named = (id: number) => ({ name: 'dal_bench', text: NUMBERED, values: [id] });
    const firstRow = ({ rows }: { readonly rows: readonly unknown[] }): unknown => rows[0];
    return [
      { name: 'pg Pool', read: async (id) => firstRow(await pool.query(NUMBERED, [id])) },
      { name: 'pg Pool, named', read: async (id) => firstRow(await pool.query(named(id))) },
      {
        name: 'pg Client',
        read: async (id, caller) => firstRow(await clients[caller]!.query(NUMBERED, [id])),
      },
      {
        name: 'pg Client, named',
        read: async (id, caller) => firstRow(await clients[caller]!.query(named(id))),
      },
    ];
  });
}

export async function mysqlStage(kind: 'mysql' | 'mariadb'): Promise<Stage> {
  return serverStage(kind, mysql, async (url, opened) => {
    const pool = mysql2.createPool({ uri: url, connectionLimit: MOST_CALLERS });
    opened.defer(() => pool.end());
    const firstRow = ([rows]: readonly [unknown, unknown]): unknown => (rows as unknown[])[0];
    return [
      { name: 'mysql2 pool.query', read: async (id) => firstRow(await pool.query(MARKED, [id])) },
      {
        name: 'mysql2 pool.execute',
        read: async (id) => firstRow(await pool.execute(MARKED, [id])),
      },
    ];
  });
}

async function serverStage(
  kind: 'postgres' | 'mysql' | 'mariadb',
  open: (url: string, options: { readonly pool: { readonly max: number } }) => Database,
  openRaw: (url: string, opened: AsyncDisposableStack) => Promise<Contender[]>,
): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await startServer(kind));
  const db = opening.use(open(server.url, { pool: { max: MOST_CALLERS } }));
  opening.defer(() => db.execute(`DROP TABLE IF EXISTS ${TABLE}`).then(() => undefined));
  await db.execute(`CREATE TABLE ${TABLE} (${COLUMNS})`);
  await db.executeMany(`INSERT INTO ${TABLE} (${SELECTED}) VALUES (?, ?, ?, ?)`, benchValues());
  const { serverVersion, driver, driverVersion } = await db.version();
  const raw = await openRaw(server.url, opening);
  const opened = opening.move();
  return {
    versions: `${kind} ${serverVersion}, ${driver} ${driverVersion}`,
    ours: databaseReads(db, MARKED),
    raw,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

export function databaseReads(db: Database, text: string, where = ''): Contender[] {
  return [
    { name: `db.query${where}`, read: async (id) => (await db.query(text, [id]))[0] },
    { name: `db.queryOne${where}`, read: (id) => db.queryOne(text, [id]) },
  ];
}
