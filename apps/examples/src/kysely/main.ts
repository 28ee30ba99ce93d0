// A program that is written for Kysely, over DAL: one line of it is changed. Its queries have deadlines
// on the server now, and the ones that only read survive a line that drops.
import { createDatabase, isDalError } from '@dal/factory';
import { dalDialect } from '@dal/kysely';
import { Kysely, sql } from 'kysely';
import { type BadLine, openBadLine } from './bad-line.ts';

interface Tables {
  kysely_orders: { id: number; item: string; paid: number };
}

const { DATABASE_URL = 'sqlite::memory:' } = process.env;
await using line: BadLine = await openBadLine(DATABASE_URL);
const db = await createDatabase(line.url, { pool: { max: 1 }, statementTimeoutMs: 1_500 });
await db.connect();
db.hooks.on('retry', ({ error }) => {
  line.mend();
  console.log(`  ${error.kind}; it runs again`);
});

// The one line. It was `dialect: new PostgresDialect({ pool: new Pool(...) })`, or one of the others.
const kysely = new Kysely<Tables>({ dialect: dalDialect(db) });

await kysely.schema.dropTable('kysely_orders').ifExists().execute();
await kysely.schema
  .createTable('kysely_orders')
  .addColumn('id', 'integer', (column) => column.primaryKey())
  .addColumn('item', 'varchar(40)', (column) => column.notNull())
  .addColumn('paid', 'integer', (column) => column.notNull())
  .execute();
await kysely
  .insertInto('kysely_orders')
  .values([
    { id: 1, item: 'hat', paid: 0 },
    { id: 2, item: 'scarf', paid: 0 },
  ])
  .execute();

await kysely.transaction().execute(async (trx) => {
  await trx.updateTable('kysely_orders').set({ paid: 1 }).where('id', '=', 2).execute();
});
const orders = kysely.selectFrom('kysely_orders').selectAll().orderBy('id');
console.log(`orders: ${JSON.stringify(await orders.execute())}`);

for await (const { item } of orders.stream()) {
  console.log(
    `the stream is left after ${item}; its connection, the only one, serves the next query`,
  );
  break;
}

if (line.cut()) console.log('the line drops in front of the answer');
console.log(`rows: ${(await orders.execute()).length}`);

const digits = Array.from({ length: 10 }, (_, n) => `SELECT ${n} AS n`).join(' UNION ALL ');
const twelveTimes = Array.from('abcdefghijkl', (name) => `digits ${name}`).join(', ');
try {
  await sql`WITH digits AS (${sql.raw(digits)}) SELECT COUNT(*) FROM ${sql.raw(twelveTimes)}`.execute(
    kysely,
  );
} catch (error) {
  if (!isDalError(error)) throw error;
  console.log(`what would take days: ${error.kind} (${error.code})`);
}
await kysely.destroy();
