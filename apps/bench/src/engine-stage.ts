import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '@dal/core';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';
import { sqlite } from '@dal/sqlite';
import { startServer } from '@dal/testing/servers';
import { type Contender, type Tables, tablesOf } from './contender.ts';
import { mysqlContenders } from './mysql-contenders.ts';
import { postgresContenders } from './postgres-contenders.ts';
import type { EngineName } from './read-arguments.ts';
import { ROWS, visitor, WIDE, wideVisitor } from './rows.ts';
import { sqliteContenders } from './sqlite-contenders.ts';

/** One engine, set up and open, with everybody who is going to be measured on it. */
export interface Stage extends AsyncDisposable {
  readonly engine: EngineName;
  /** Server and library with their versions. */
  readonly versions: string;
  readonly url: string;
  readonly prefix: string;
  readonly tables: Tables;
  /** For what is not measured: tables, checks. */
  readonly db: Database;
  readonly contenders: readonly Contender[];
  /** How the engine has moments. */
  readonly moments: 'dates' | 'texts';
  /** Empties a table. */
  readonly clear: (table: string) => Promise<void>;
}

export type TableKind = keyof Tables;

/** Starts what has to be started, and makes the tables that are asked for. */
export async function openStage(
  engine: EngineName,
  kinds: readonly TableKind[],
  streamRows = 0,
): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const url = await placeOf(engine, opening);
  const prefix = `dal_bench_${process.pid}`;
  const tables = tablesOf(prefix);
  const db = opening.use(openDatabase(engine, url));
  opening.defer(async () => {
    for (const kind of kinds) await db.execute(`DROP TABLE IF EXISTS ${tables[kind]}`);
  });
  for (const kind of kinds) await makers[kind](db, tables[kind], streamRows);
  const contenders = await contendersOf(engine, url, tables, opening, db);
  const { serverVersion, driver, driverVersion } = await db.version();
  const opened = opening.move();
  return {
    engine,
    versions: `${engine} ${serverVersion}, ${driver} ${driverVersion}`,
    url,
    prefix,
    tables,
    db,
    contenders,
    moments: engine === 'sqlite' ? 'texts' : 'dates',
    clear: async (table) => {
      await db.execute(engine === 'sqlite' ? `DELETE FROM ${table}` : `TRUNCATE TABLE ${table}`);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const openers = {
  postgres: postgresContenders,
  mysql: mysqlContenders,
  mariadb: mysqlContenders,
  sqlite: sqliteContenders,
} as const;

/** Everybody on one engine; also in the process that a stream is measured in. */
export function openContenders(
  engine: EngineName,
  url: string,
  tables: Tables,
  opened: AsyncDisposableStack,
): Contender[] {
  return openers[engine](url, tables, opened);
}

async function contendersOf(
  engine: EngineName,
  url: string,
  tables: Tables,
  opened: AsyncDisposableStack,
  db: Database,
): Promise<Contender[]> {
  const contenders = openContenders(engine, url, tables, opened);
  const isMysql = engine === 'mysql' || engine === 'mariadb';
  if (!isMysql || Number(await db.queryValue('SELECT @@local_infile')) === 1) return contenders;
  return contenders.filter(({ name }) => !name.includes('LOAD DATA'));
}

export function openDatabase(engine: EngineName, url: string): Database {
  const options = { pool: { max: 2 }, statementTimeoutMs: '5min' };
  if (engine === 'postgres') return postgres(url, options);
  if (engine === 'sqlite') return sqlite(url, { ...options, runsIn: 'inline' });
  return mysql(url, options);
}

export async function placeOf(engine: EngineName, opened: AsyncDisposableStack): Promise<string> {
  if (engine !== 'sqlite') return opened.use(await startServer(engine)).url;
  const folder = await mkdtemp(join(tmpdir(), 'dal-bench-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  return `sqlite:${join(folder, 'bench.db')}`;
}

// Types chosen so that libraries agree on how each column arrives without being told.
const narrow = 'id INT NOT NULL PRIMARY KEY, name VARCHAR(60), email VARCHAR(80), visits INT';

const makers: Readonly<
  Record<TableKind, (db: Database, table: string, streamRows: number) => Promise<void>>
> = {
  async visitors(db, table) {
    await db.execute(`CREATE TABLE ${table} (${narrow})`);
    await insertVisitors(db, table, ROWS);
  },
  async wide(db, table) {
    const moment = { postgres: 'TIMESTAMPTZ(3)', mysql: 'DATETIME(3)', sqlite: 'TEXT' };
    const { double } = db.dialect.types;
    await db.execute(
      `CREATE TABLE ${table} (${narrow}, score ${double}, city VARCHAR(40), note VARCHAR(200),
        created ${moment[db.dialect.name as keyof typeof moment]})`,
    );
    const moments = db.dialect.name === 'sqlite' ? 'texts' : 'dates';
    await db.executeMany(
      `INSERT INTO ${table} (${WIDE.join(', ')}) VALUES (${WIDE.map(() => '?').join(', ')})`,
      Array.from({ length: ROWS }, (_, at) => {
        const row = wideVisitor(at + 1, moments);
        return WIDE.map((column) => row[column]);
      }),
    );
  },
  async inserts(db, table) {
    await db.execute(
      `CREATE TABLE ${table} (seq ${db.dialect.types.autoId}, who INT NOT NULL, id INT NOT NULL,
        name VARCHAR(60), email VARCHAR(80), visits INT)`,
    );
  },
  async bulk(db, table) {
    await db.execute(`CREATE TABLE ${table} (${narrow})`);
  },
  async stream(db, table, streamRows) {
    await db.execute(`CREATE TABLE ${table} (${narrow})`);
    let filled = Math.min(ROWS, streamRows);
    await insertVisitors(db, table, filled);
    // Doubled by the server: nothing travels.
    while (filled < streamRows) {
      const more = Math.min(filled, streamRows - filled);
      await db.execute(
        `INSERT INTO ${table} SELECT id + ${filled}, name, email, (id + ${filled}) * 7 FROM ${table} WHERE id <= ${more}`,
      );
      filled += more;
    }
    await db.analyzeTable(table);
  },
};

async function insertVisitors(db: Database, table: string, count: number): Promise<void> {
  await db.executeMany(
    `INSERT INTO ${table} (id, name, email, visits) VALUES (?, ?, ?, ?)`,
    Array.from({ length: count }, (_, at) => Object.values(visitor(at + 1))),
  );
}
