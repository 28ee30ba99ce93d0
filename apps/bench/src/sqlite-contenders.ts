import { sqlite } from '@dal/sqlite';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { kyselyContender } from './builder-contenders.ts';
import type { Contender, Tables } from './contender.ts';
import { dalContenders } from './dal-contender.ts';
import { NARROW, type Visitor, WIDE } from './rows.ts';

/**
 * DAL in its own process and in this thread. The measure is a statement that better-sqlite3 prepared
 * once, in this thread: it waits for nobody and can't be stopped, and nothing is faster.
 */
export function sqliteContenders(
  url: string,
  tables: Tables,
  opened: AsyncDisposableStack,
): Contender[] {
  const inline = opened.use(sqlite(url, { runsIn: 'inline' }));
  const inProcess = opened.use(sqlite(url, { pool: { max: 4 } }));
  const raw = new Sqlite(url.replace(/^sqlite:/, ''));
  raw.pragma('synchronous = NORMAL');
  opened.defer(() => void raw.close());
  return [
    betterSqlite(raw, tables),
    kyselyContender(new Kysely({ dialect: new SqliteDialect({ database: raw }) }), tables),
    ...dalContenders(inline, tables, ' inline'),
    ...dalContenders(inProcess, tables, ' process'),
  ];
}

function betterSqlite(raw: Sqlite.Database, tables: Tables): Contender {
  const insertInto = (table: string, columns: readonly string[]): string =>
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  const cached = new Map<string, Sqlite.Statement>();
  /** Prepared at the first use: not every table is there in every run. */
  const prepared = (text: string): Sqlite.Statement => {
    let statement = cached.get(text);
    if (!statement) cached.set(text, (statement = raw.prepare(text)));
    return statement;
  };
  const read = `SELECT ${NARROW.join(', ')} FROM ${tables.visitors} WHERE id = ?`;
  const wide = `SELECT ${WIDE.join(', ')} FROM ${tables.wide} ORDER BY id`;
  const insert = insertInto(tables.inserts, ['who', ...NARROW]);
  const stream = `SELECT ${NARROW.join(', ')} FROM ${tables.stream} WHERE id <= ?`;
  return {
    name: 'better-sqlite3 cached',
    side: 'raw',
    read: (id) => prepared(read).get(id),
    insert: (who, { id, name, email, visits }) =>
      prepared(insert).run(who, id, name, email, visits),
    thousand: () => prepared(wide).all(),
    bulk: (rows) => {
      const one = prepared(insertInto(tables.bulk, NARROW));
      raw.transaction(() => {
        for (const { id, name, email, visits } of rows) one.run(id, name, email, visits);
      })();
      return Promise.resolve();
    },
    stream: (upTo) => {
      let rows = 0;
      let sum = 0;
      for (const row of prepared(stream).iterate(upTo)) {
        rows++;
        sum += (row as Visitor).visits;
      }
      return Promise.resolve({ rows, sum });
    },
  };
}
