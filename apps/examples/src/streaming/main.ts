// Millions of rows go to a file in little memory: the server is asked for more when the file has taken
// what there is. And a loop that is left early leaves nothing behind. ROWS says how many there are.
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { createDatabase, type Database } from '@dal/factory';

const {
  DATABASE_URL = 'sqlite::memory:',
  ROWS = '2000000',
  FILE = 'measured.csv.gz',
} = process.env;
const SENSORS = 1_000;
interface Measured {
  readonly sensor: string;
  readonly hour: number;
}

await using db = await createDatabase(DATABASE_URL, { pool: { max: 1 } });
await prepare(db);
const everything =
  'SELECT s.name AS sensor, h.hour FROM streaming_hours h CROSS JOIN streaming_sensors s';

await pipeline(toCsv(db), createGzip({ level: 1 }), createWriteStream(FILE));
const { size } = await stat(FILE);
const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(
  `${ROWS} rows are in ${FILE}: ${size} bytes; this process never had more than ${peakMb} MiB`,
);

for await (const { sensor, hour } of db.stream<Measured>(everything).rows()) {
  console.log(`found ${sensor} at ${hour}, and look no further`);
  break;
}
const { size: open, lent } = db.pool.stats();
console.log(`the pool has ${open} connection, ${lent} are lent`);
await db.execute('DROP TABLE streaming_sensors');
await db.execute('DROP TABLE streaming_hours');

/** A batch at a time, so that a text of thousands of lines is one chunk. */
async function* toCsv(database: Database): AsyncGenerator<string> {
  yield 'sensor,hour\n';
  for await (const rows of database.stream<Measured>(everything, [], { batchSize: 2_000 })) {
    yield rows.map(({ sensor, hour }) => `${sensor},${hour}\n`).join('');
  }
}

async function prepare(database: Database): Promise<void> {
  const { integer } = database.dialect.types;
  for (const table of ['streaming_sensors', 'streaming_hours']) {
    await database.execute(`DROP TABLE IF EXISTS ${table}`);
  }
  await database.execute('CREATE TABLE streaming_sensors (name VARCHAR(60))');
  await database.execute(`CREATE TABLE streaming_hours (hour ${integer})`);
  const sensors = Array.from({ length: SENSORS }, (_, n) => ({
    name: `sensor ${n} in hall ${n % 7}, which is painted green`,
  }));
  await database.bulkInsert('streaming_sensors', sensors);
  const hours = Array.from({ length: Number(ROWS) / SENSORS }, (_, hour) => ({ hour }));
  await database.bulkInsert('streaming_hours', hours);
}
