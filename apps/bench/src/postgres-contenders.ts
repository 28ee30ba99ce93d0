import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { postgres } from '@dal/postgres';
import knex from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import postgresJs from 'postgres';
import { kyselyContender, knexContender, parts } from './builder-contenders.ts';
import { type Contender, POOL, type Tables } from './contender.ts';
import { dalContenders } from './dal-contender.ts';
import { rowText } from './row-text.ts';
import { NARROW, type Visitor, WIDE } from './rows.ts';
import { type StreamSum, sumOf } from './stream-sum.ts';

/** Nothing is connected before it is used. */
export function postgresContenders(
  url: string,
  tables: Tables,
  opened: AsyncDisposableStack,
): Contender[] {
  // pg by itself encrypts nothing unless told to, and TLS isn't what is compared here.
  const db = opened.use(postgres({ url, tls: 'disable', pool: { max: POOL } }));
  const pool = new Pool({ connectionString: url, max: POOL });
  opened.defer(() => pool.end());
  const builder = knex({ client: 'pg', connection: url, pool: { min: 0, max: POOL } });
  opened.defer(() => builder.destroy());
  return [
    ...pgContenders(pool, tables),
    postgresJsContender(url, tables, opened),
    // Kysely has no pool of its own.
    kyselyContender(new Kysely({ dialect: new PostgresDialect({ pool }) }), tables),
    knexContender(builder, tables),
    ...dalContenders(db, tables),
  ];
}

function pgContenders(pool: Pool, tables: Tables): Contender[] {
  const read = `SELECT ${NARROW.join(', ')} FROM ${tables.visitors} WHERE id = $1`;
  const insert = `INSERT INTO ${tables.inserts} (who, id, name, email, visits) VALUES ($1, $2, $3, $4, $5)`;
  const wide = `SELECT ${WIDE.join(', ')} FROM ${tables.wide} ORDER BY id`;
  const values = (who: number, row: Visitor) => [who, row.id, row.name, row.email, row.visits];
  return [
    {
      name: 'pg.Pool.query',
      side: 'raw',
      read: async (id) => (await pool.query<Visitor>(read, [id])).rows[0],
      insert: (who, row) => pool.query(insert, values(who, row)),
      thousand: async () => (await pool.query<Visitor>(wide)).rows,
      stream: async (upTo) => sumOf([(await pool.query<Visitor>(streamOf(tables), [upTo])).rows]),
    },
    {
      name: 'pg.Pool named',
      side: 'raw',
      read: async (id) =>
        (await pool.query<Visitor>({ name: 'bench_read', text: read, values: [id] })).rows[0],
      insert: (who, row) =>
        pool.query({ name: 'bench_insert', text: insert, values: values(who, row) }),
      thousand: async () => (await pool.query<Visitor>({ name: 'bench_wide', text: wide })).rows,
    },
    { name: 'pg multi-row INSERT', side: 'raw', bulk: (rows) => multiRow(pool, tables, rows) },
    { name: 'pg-copy-streams', side: 'raw', bulk: (rows) => copy(pool, tables, rows) },
    { name: 'pg-cursor 1,000', side: 'raw', stream: (upTo) => byCursor(pool, tables, upTo) },
  ];
}

const streamOf = ({ stream }: Tables): string =>
  `SELECT ${NARROW.join(', ')} FROM ${stream} WHERE id <= $1`;

async function multiRow(pool: Pool, tables: Tables, rows: readonly Visitor[]): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    for (const part of parts(rows)) {
      const marks = part.map(
        (_, at) => `($${at * 4 + 1}, $${at * 4 + 2}, $${at * 4 + 3}, $${at * 4 + 4})`,
      );
      await client.query(
        `INSERT INTO ${tables.bulk} (${NARROW.join(', ')}) VALUES ${marks.join(', ')}`,
        part.flatMap(({ id, name, email, visits }) => [id, name, email, visits]),
      );
    }
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

async function copy(pool: Pool, tables: Tables, rows: readonly Visitor[]): Promise<void> {
  const client = await pool.connect();
  try {
    const into = client.query(copyFrom(`COPY ${tables.bulk} (${NARROW.join(', ')}) FROM STDIN`));
    await pipeline(Readable.from(rowText(rows), { objectMode: false }), into);
  } finally {
    client.release();
  }
}

async function byCursor(pool: Pool, tables: Tables, upTo: number): Promise<StreamSum> {
  const client = await pool.connect();
  const cursor = client.query(new Cursor<Visitor>(streamOf(tables), [upTo]));
  try {
    return await sumOf(batchesOf(cursor));
  } finally {
    await cursor.close();
    client.release();
  }
}

async function* batchesOf(cursor: Cursor<Visitor>): AsyncGenerator<Visitor[]> {
  for (;;) {
    const batch = await cursor.read(1_000);
    if (batch.length === 0) return;
    yield batch;
  }
}

function postgresJsContender(url: string, tables: Tables, opened: AsyncDisposableStack): Contender {
  const sql = postgresJs(url, { max: POOL, onnotice: () => undefined });
  opened.defer(() => sql.end({ timeout: 5 }));
  const columns = [...NARROW];
  const wideColumns = [...WIDE];
  return {
    name: 'postgres.js',
    side: 'rival',
    read: async (id) =>
      (await sql`SELECT ${sql(columns)} FROM ${sql(tables.visitors)} WHERE id = ${id}`)[0],
    insert: (who, row) => sql`INSERT INTO ${sql(tables.inserts)} ${sql({ who, ...row })}`,
    thousand: () => sql`SELECT ${sql(wideColumns)} FROM ${sql(tables.wide)} ORDER BY id`,
    bulk: (rows) =>
      sql.begin(async (transaction) => {
        for (const part of parts(rows)) {
          await transaction`INSERT INTO ${sql(tables.bulk)} ${sql(part as Visitor[], columns)}`;
        }
      }),
    stream: (upTo) =>
      sumOf(
        sql<Visitor[]>`
          SELECT ${sql(columns)} FROM ${sql(tables.stream)} WHERE id <= ${upTo}`.cursor(1_000),
      ),
  };
}
