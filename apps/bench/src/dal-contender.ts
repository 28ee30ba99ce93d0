import type { Database } from '@dal/core';
import type { Contender, Tables } from './contender.ts';
import { NARROW, type Visitor, WIDE } from './rows.ts';
import { sumOf } from './stream-sum.ts';

/** DAL by its plainest verbs; the first of them does everything else too. */
export function dalContenders(db: Database, tables: Tables, how = ''): Contender[] {
  const read = `SELECT ${NARROW.join(', ')} FROM ${tables.visitors} WHERE id = ?`;
  const insert = `INSERT INTO ${tables.inserts} (who, id, name, email, visits) VALUES (?, ?, ?, ?, ?)`;
  const wide = `SELECT ${WIDE.join(', ')} FROM ${tables.wide} ORDER BY id`;
  const stream = `SELECT ${NARROW.join(', ')} FROM ${tables.stream} WHERE id <= ?`;
  return [
    {
      name: `db.query${how}`,
      side: 'dal',
      read: async (id) => (await db.query(read, [id]))[0],
      insert: (who, { id, name, email, visits }) =>
        db.execute(insert, [who, id, name, email, visits]),
      thousand: () => db.query(wide),
    },
    { name: `db.queryOne${how}`, side: 'dal', read: (id) => db.queryOne(read, [id]) },
    {
      name: `db.bulkInsert${how}`,
      side: 'dal',
      bulk: (rows) => db.bulkInsert(tables.bulk, rows.map(asRecord)),
    },
    {
      name: `db.stream${how}`,
      side: 'dal',
      stream: (upTo) => sumOf(db.stream<Visitor>(stream, [upTo])),
    },
  ];
}

/** An interface is no record to the compiler. */
function asRecord(row: Visitor): Record<string, unknown> {
  return row as unknown as Record<string, unknown>;
}
