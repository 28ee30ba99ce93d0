// A CSV file goes into a table row by row, and is there whole or not at all. The row that was refused is
// named. FILE may be a file of yours.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, isDalError } from '@dal/factory';
import { parse } from 'csv-parse';

const { DATABASE_URL = 'sqlite::memory:', ROWS = '100000' } = process.env;
await using db = await createDatabase(DATABASE_URL);
const { integer } = db.dialect.types;
await db.execute('DROP TABLE IF EXISTS bulk_stock');
await db.execute(
  `CREATE TABLE bulk_stock (id ${integer} PRIMARY KEY, name VARCHAR(40) NOT NULL, amount ${integer} NOT NULL)`,
);

await load('stock.csv');
// Its fifth row has the id of an earlier one; the four before it don't stay either.
await load('stock-with-a-mistake.csv');

const { affectedRows } = await db.bulkInsert('bulk_stock', manyRows(Number(ROWS)));
console.log(`a generator: ${affectedRows} rows`);

const sold = [
  [2, 1],
  [1, 2],
  [5, 3],
];
const changed = await db.executeMany(
  'UPDATE bulk_stock SET amount = amount - ? WHERE id = ?',
  sold,
);
const left = await db.query('SELECT name, amount FROM bulk_stock WHERE id <= 3 ORDER BY id');
console.log(`executeMany changed ${changed.affectedRows}: ${JSON.stringify(left)}`);
await tellRows();
await db.execute('DROP TABLE bulk_stock');

async function load(name: string): Promise<void> {
  const file = createReadStream(join(import.meta.dirname, name));
  const rows = file.pipe(parse({ columns: true }));
  try {
    const loaded = await db.bulkInsert('bulk_stock', rows);
    console.log(`${name}: ${loaded.affectedRows} rows`);
  } catch (error) {
    if (!isDalError(error)) throw error;
    console.log(`${name}: ${error.kind}: ${error.message}`);
  }
  await tellRows();
}

/** Made while they are sent, never all at once. */
function* manyRows(count: number): Generator<{ id: number; name: string; amount: number }> {
  for (let n = 0; n < count; n++) yield { id: 1_000 + n, name: `part ${n}`, amount: n % 10 };
}

async function tellRows(): Promise<void> {
  console.log(`  the table has ${String(await db.queryValue('SELECT COUNT(*) FROM bulk_stock'))}`);
}
