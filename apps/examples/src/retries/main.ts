// What runs again by itself, and what does not: two transactions that collide, a read whose line drops,
// and a write of which nobody knows whether it arrived.
import { createDatabase } from '@dal/factory';
import { collide } from './collide.ts';
import { dropLines } from './drop-lines.ts';

const { DATABASE_URL = 'sqlite:retries.db' } = process.env;
await using db = await createDatabase(DATABASE_URL, { pool: { max: 2 } });

const { integer } = db.dialect.types;
await db.execute('DROP TABLE IF EXISTS retries_stock');
await db.execute(`CREATE TABLE retries_stock (id ${integer} PRIMARY KEY, amount ${integer})`);
await db.execute('INSERT INTO retries_stock VALUES (1, 10)');

await collide(db);
// SQLite has no line that could drop.
if (db.dialect.name !== 'sqlite') await dropLines(DATABASE_URL);

await db.execute('DROP TABLE retries_stock');
