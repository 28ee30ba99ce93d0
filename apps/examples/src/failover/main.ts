// Four writers, and a URL with two hosts. When the primary goes away, the writers wait for the next one
// within their deadline; none of them knows that there are two. SIGTERM ends it.
import { channels, type FailoverMessage } from '@dal/core';
import { createDatabase, isDalError } from '@dal/factory';

const { DATABASE_URL } = process.env;
if (DATABASE_URL === undefined) {
  throw new Error(
    'Set DATABASE_URL to a URL with two hosts, such as postgres://app@db1,db2/shop?target_session_attrs=read-write',
  );
}
const db = await createDatabase(DATABASE_URL, { pool: { max: 4 } });
const seen = { acknowledged: 0, unknown: 0, slowestMs: 0 };
const end = new AbortController();
process.once('SIGTERM', () => end.abort());
channels.failover.subscribe((message) => {
  const { from, to } = message as FailoverMessage;
  console.log(`writes go from ${from} to ${to}`);
});

await Promise.all([1, 2, 3, 4].map((writer) => write(writer)));
console.log(JSON.stringify(seen));
await db.close();

async function write(writer: number): Promise<void> {
  for (let turn = 1; !end.signal.aborted; turn++) {
    const startedAt = performance.now();
    try {
      await db.execute('INSERT INTO failover_entries (entry) VALUES (?)', [`${writer}-${turn}`]);
      if (++seen.acknowledged === 20) console.log('writing');
    } catch (error) {
      // It was on the wire when the line broke: it may be there, so it is not written again.
      if (!isDalError(error) || error.fault?.applied !== 'unknown') throw error;
      seen.unknown++;
    }
    seen.slowestMs = Math.max(seen.slowestMs, Math.round(performance.now() - startedAt));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
