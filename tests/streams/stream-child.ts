// Streams rows in a process of its own, so that the memory measured is the stream's and no other's.
import { createDatabase } from '@dal/factory';
import { manyRows } from './many-rows.ts';

/** What the memory settles at is known after this part of the rows. */
const WARM_UP = 0.5;

const [url = '', count = '', how = 'stream'] = process.argv.slice(2);
await using db = await createDatabase(url, { pool: { max: 1 }, statementTimeoutMs: '5min' });
const rowCount = Number(count);
const text = manyRows(rowCount);
const startedAt = performance.now();
let rows = 0;
let settledMb = 0;
let peakMb = 0;
const look = (): void => {
  const rssMb = process.memoryUsage.rss() / 2 ** 20;
  if (rows <= rowCount * WARM_UP) settledMb = Math.max(settledMb, rssMb);
  peakMb = Math.max(peakMb, rssMb);
};
if (how === 'stream') {
  for await (const batch of db.stream(text)) {
    rows += batch.length;
    look();
  }
} else {
  // The known-bad way: everything at once.
  look();
  rows = (await db.query(text)).length;
  look();
}
const seconds = (performance.now() - startedAt) / 1_000;
console.log(JSON.stringify({ rows, settledMb, peakMb, seconds }));
