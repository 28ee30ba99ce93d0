import { Readable } from 'node:stream';
import { mysql } from '@dal/mysql';
import knex from 'knex';
import { Kysely, MysqlDialect } from 'kysely';
import { createPool } from 'mysql2';
import type { Pool } from 'mysql2/promise';
import { kyselyContender, knexContender, parts } from './builder-contenders.ts';
import { type Contender, POOL, type Tables } from './contender.ts';
import { dalContenders } from './dal-contender.ts';
import { rowText } from './row-text.ts';
import { NARROW, type Visitor, WIDE } from './rows.ts';
import type { StreamSum } from './stream-sum.ts';

type CallbackPool = ReturnType<typeof createPool>;

/** For MySQL and MariaDB. Nothing is connected before it is used. */
export function mysqlContenders(
  url: string,
  tables: Tables,
  opened: AsyncDisposableStack,
): Contender[] {
  const plain = url.replace(/^mariadb:/, 'mysql:');
  // mysql2 by itself encrypts nothing unless told to, and TLS isn't what is compared here.
  const db = opened.use(mysql({ url, tls: 'disable', pool: { max: POOL } }));
  const callbackPool = createPool({ uri: plain, connectionLimit: POOL });
  const pool = callbackPool.promise();
  opened.defer(() => pool.end());
  const builder = knex({ client: 'mysql2', connection: plain, pool: { min: 0, max: POOL } });
  opened.defer(() => builder.destroy());
  return [
    ...mysql2Contenders(pool, callbackPool, tables),
    // Kysely has no pool of its own.
    kyselyContender(new Kysely({ dialect: new MysqlDialect({ pool: callbackPool }) }), tables),
    knexContender(builder, tables),
    ...dalContenders(db, tables),
  ];
}

function mysql2Contenders(pool: Pool, callbackPool: CallbackPool, tables: Tables): Contender[] {
  const read = `SELECT ${NARROW.join(', ')} FROM ${tables.visitors} WHERE id = ?`;
  const insert = `INSERT INTO ${tables.inserts} (who, id, name, email, visits) VALUES (?, ?, ?, ?, ?)`;
  const wide = `SELECT ${WIDE.join(', ')} FROM ${tables.wide} ORDER BY id`;
  const values = (who: number, row: Visitor) => [who, row.id, row.name, row.email, row.visits];
  const rowsOf = ([rows]: readonly [unknown, unknown]): readonly unknown[] => rows as unknown[];
  return [
    {
      name: 'mysql2 pool.query',
      side: 'raw',
      read: async (id) => rowsOf(await pool.query(read, [id]))[0],
      insert: (who, row) => pool.query(insert, values(who, row)),
      thousand: async () => rowsOf(await pool.query(wide)),
      bulk: (rows) => multiRow(pool, tables, rows),
    },
    {
      name: 'mysql2 pool.execute',
      side: 'raw',
      read: async (id) => rowsOf(await pool.execute(read, [id]))[0],
      insert: (who, row) => pool.execute(insert, values(who, row)),
      thousand: async () => rowsOf(await pool.execute(wide)),
    },
    { name: 'mysql2 LOAD DATA', side: 'raw', bulk: (rows) => loadData(pool, tables, rows) },
    {
      name: 'mysql2 .stream()',
      side: 'raw',
      stream: (upTo) => byStream(callbackPool, tables, upTo),
    },
    {
      name: 'mysql2 result events',
      side: 'raw',
      stream: (upTo) => byEvents(callbackPool, tables, upTo),
    },
  ];
}

async function multiRow(pool: Pool, tables: Tables, rows: readonly Visitor[]): Promise<void> {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    for (const part of parts(rows)) {
      await connection.query(`INSERT INTO ${tables.bulk} (${NARROW.join(', ')}) VALUES ?`, [
        part.map(({ id, name, email, visits }) => [id, name, email, visits]),
      ]);
    }
    await connection.commit();
  } finally {
    connection.release();
  }
}

async function loadData(pool: Pool, tables: Tables, rows: readonly Visitor[]): Promise<void> {
  await pool.query({
    sql: `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${tables.bulk} CHARACTER SET utf8mb4 (${NARROW.join(', ')})`,
    infileStreamFactory: () => Readable.from(rowText(rows), { objectMode: false }),
  });
}

const streamOf = ({ stream }: Tables): string =>
  `SELECT ${NARROW.join(', ')} FROM ${stream} WHERE id <= ?`;

async function byStream(pool: CallbackPool, tables: Tables, upTo: number): Promise<StreamSum> {
  let rows = 0;
  let sum = 0;
  const stream = pool.query(streamOf(tables), [upTo]).stream();
  for await (const row of stream as AsyncIterable<Visitor>) {
    rows++;
    sum += row.visits;
  }
  return { rows, sum };
}

/** The fastest that mysql2 has: no stream, the consumer keeps up by itself. */
function byEvents(pool: CallbackPool, tables: Tables, upTo: number): Promise<StreamSum> {
  return new Promise((resolve, reject) => {
    let rows = 0;
    let sum = 0;
    pool
      .query(streamOf(tables), [upTo])
      .on('result', (row) => {
        rows++;
        sum += (row as unknown as Visitor).visits;
      })
      .on('error', reject)
      .on('end', () => resolve({ rows, sum }));
  });
}
